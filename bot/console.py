"""The terminal chat: the same service over a fresh history. Also reads piped lines and prints only the answers."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

from bot.casting import SoleActor
from bot.chat_service import Actor, ChatService, Conversation, Line, Request
from bot.errors import EmptyAnswerError
from bot.handlers.commands import ask_usage, greeting_text, help_text, reset_text
from bot.handlers.why import explanation
from bot.locales import Locales, Translate
from bot.origins import Origins
from bot.reply_queue import ReplyQueue
from bot.settings import Settings
from bot.stars import TrainedScript, load_actor
from bot.storage.memory import MemoryHistory
from bot.troupe import Closable

HERE = Conversation(chat_id=0)
YOU = "You"


class Answers:
    """Where the character's words go: standard output."""

    def __init__(self, name: str, streaming: bool) -> None:
        self._name = name
        self._streaming = streaming
        self._shown = ""

    def grow(self, so_far: str) -> None:
        """Show what has been added, where somebody watches."""
        if self._streaming:
            start = "" if self._shown else f"{self._name}: "
            print(start + so_far[len(self._shown) :], end="", flush=True)
            self._shown = so_far

    def finish(self, answer: str) -> None:
        """Show the rest of a streamed answer; into a pipe goes one line for each answer."""
        if self._streaming:
            self.grow(answer)
            print()
        else:
            print(" ".join(answer.split()), flush=True)
        self._shown = ""


class Console:
    """One chat. Its notices (help and the like) go to standard error unless a person is typing."""

    def __init__(
        self, service: ChatService, origins: Origins, translate: Translate, runner: asyncio.Runner, interactive: bool
    ) -> None:
        self._service = service
        self._origins = origins
        self._translate = translate
        self._runner = runner
        self._interactive = interactive
        self._card = runner.run(service.character(HERE))
        self._answers = Answers(self._card.name, streaming=interactive)
        self._commands: dict[str, Callable[[str], None]] = {
            "/start": lambda _words: self.greet(),
            "/help": lambda _words: self._notice(
                help_text(translate, self._card.name) + "\n" + translate("/quit: the end")
            ),
            "/reset": lambda _words: self._reset(),
            "/ask": self._ask,
            "/why": lambda _words: self._why(),
        }

    def run(self, lines: Iterator[str]) -> None:
        """Answer line by line, until they end or one says /quit."""
        for line in lines:
            command, _, words = line.strip().partition(" ")
            if command == "/quit":
                return
            if command in self._commands:
                self._commands[command](words.strip())
            elif line.strip():
                self._answer(self._service.talk, line.strip())

    def greet(self) -> None:
        """Say the first words."""
        self._notice(greeting_text(self._translate, self._card.name, self._card.greeting))

    def _ask(self, question: str) -> None:
        if question:
            self._answer(self._service.ask, question)
        else:
            self._notice(ask_usage(self._translate))

    def _reset(self) -> None:
        self._runner.run(self._service.reset(HERE))
        self._notice(reset_text(self._translate))

    def _why(self) -> None:
        self._notice(self._runner.run(explanation(self._translate, self._origins, HERE)))

    def _answer(self, method: Callable[..., Coroutine[Any, Any, str]], words: str) -> None:
        request = Request(HERE, Line(YOU, words))
        try:
            self._answers.finish(self._runner.run(method(request, self._answers.grow)))
        except EmptyAnswerError:
            self._answers.finish(self._translate("I am at a loss for words. Could you put it another way?"))

    def _notice(self, text: str) -> None:
        print(text, file=sys.stdout if self._interactive else sys.stderr, flush=True)


def chat(settings: Settings, *, actor: Actor | None = None) -> None:
    """Chat until the input ends. Loads the character unless an `actor` is given. Raises SettingsError."""
    interactive = sys.stdin.isatty()
    if actor is None:
        print(f"Loading {settings.persona} ...", file=sys.stderr, flush=True)
        actor = load_actor(settings)
    history = MemoryHistory()
    replies = ReplyQueue(settings.max_concurrent_replies)
    service = ChatService(SoleActor(actor), history.unit_of_work, replies, settings.context_messages)
    origins = Origins(history, TrainedScript(settings.persona, settings.model_store))
    with asyncio.Runner() as runner:
        console = Console(service, origins, Locales().speak(None), runner, interactive)
        try:
            _converse(console, interactive)
        finally:
            if isinstance(actor, Closable):
                runner.run(actor.close())


def _converse(console: Console, interactive: bool) -> None:
    if not interactive:
        console.run(iter(sys.stdin))
        return
    console.greet()
    with suppress(KeyboardInterrupt):
        console.run(_typed_lines())
    print("\nGoodbye!")


def _typed_lines() -> Iterator[str]:
    with suppress(ImportError):
        import readline  # noqa: F401 (gives `input` its line editing; not there on Windows)
    with suppress(EOFError):
        while True:
            yield input(f"{YOU}: ")

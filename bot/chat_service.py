"""What a message means: modes, context, reset. Knows neither Telegram nor SQL.

The service owns the commit: what a request changes is stored in one unit of work, together with the fact that the
request has been answered. A request that fails, or is cancelled, leaves no trace.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from bot.errors import BotError, EmptyAnswerError
from bot.personas import Card
from bot.reply_queue import ReplyQueue, Ticket
from bot.stopping import Errand, Stopping
from bot.voices import told_apart

Listener = Callable[[str], None]


class AlreadyAnsweredError(BotError):
    """Another process on the same database has answered the request; nothing is left to do."""


class Mode(StrEnum):
    """How a question was put: within the dialogue, or on its own."""

    DIALOGUE = "dialogue"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where lines belong together: a chat, or one topic of a group (0: no topic). Groups have ids below 0."""

    chat_id: int
    thread_id: int = 0

    @property
    def in_group(self) -> bool:
        return self.chat_id < 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a dialogue. `is_character` tells the character's own lines from everyone else's.

    In a context, `person` is a number of who said it, as in `Request`: names change, and people may have the same.
    """

    speaker: str
    text: str
    is_character: bool = False
    person: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody's line that wants an answer.

    `receipt` is the id under which it was received, if it was on record. `person` is a number of who said it, which
    stays the same when the name changes, and `message` that of the message in its chat, where these are known.
    """

    conversation: Conversation
    line: Line
    receipt: int | None = None
    person: int | None = None
    message: int | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer, and what answered: a character (by name, in `answer`) and its version.

    `person` and `message` are the question's, as in `Request`; `persona` is the character's id.
    """

    question: Line
    answer: Line
    mode: Mode
    version: str
    person: int | None = None
    message: int | None = None
    persona: str = ""


class Actor(Protocol):
    """Whoever plays the character."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def greeting(self) -> str:
        """The character's first words to a stranger; may be empty."""
        ...

    def reply(self, history: Sequence[Line]) -> AsyncGenerator[str, None]:
        """Stream the answer to the last line of `history`, in pieces; closing the generator cancels the work.

        An actor who does not know what to say finds words for that: an empty answer is an error.
        """
        ...


@dataclass(frozen=True, slots=True)
class Role:
    """A character, by its id, and who plays it."""

    persona: str
    actor: Actor


class Cast(Protocol):
    """Everybody who may play."""

    def on_stage(self, conversation: Conversation) -> AbstractAsyncContextManager[Role]:
        """Who plays in a conversation. May take seconds; raises CastingError where the character cannot be loaded."""
        ...

    async def character(self, conversation: Conversation) -> Card:
        """Whom people meet in a conversation; loads nobody."""
        ...


class UnitOfWork(Protocol):
    """A transaction on what has been said. Leaving it without `commit` undoes it."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def context(self, conversation: Conversation, limit: int) -> list[Line]:
        """The last `limit` lines of the dialogue with the present character since its last reset, oldest first."""
        ...

    async def remember(self, conversation: Conversation, exchange: Exchange) -> None: ...
    async def forget_context(self, conversation: Conversation) -> None: ...
    async def answered(self, receipt: int, answer: str) -> None:
        """Put on record that the request has this answer, still to be sent. Raises AlreadyAnsweredError."""
        ...

    async def commit(self) -> None: ...


class ChatService:
    """The characters in conversation with many chats.

    `context_messages` is how many earlier messages of the dialogue, of both sides, go along with a new one.
    """

    def __init__(
        self,
        cast: Cast,
        unit_of_work: Callable[[], UnitOfWork],
        replies: ReplyQueue,
        context_messages: int,
        stopping: Stopping | None = None,
    ) -> None:
        self._cast = cast
        self._unit_of_work = unit_of_work
        self._replies = replies
        self._stopping = stopping or Stopping()
        self.context_messages = context_messages

    async def character(self, conversation: Conversation) -> Card:
        """Whom people meet in a conversation."""
        return await self._cast.character(conversation)

    async def talk(self, request: Request, listener: Listener | None = None, ticket: Ticket | None = None) -> str:
        """Answer the next line of the dialogue and remember both.

        `listener` is called with the answer so far each time that it grows, and `ticket` tells the place in the queue
        meanwhile. Raises EmptyAnswerError, StoppedError where the request is called off, and AlreadyAnsweredError where
        another process was faster.
        """
        async with self.turn(request, ticket) as errand:
            async with self._unit_of_work() as work:
                context = await work.context(request.conversation, self.context_messages)
            return await self._store(request, await self.exchange(errand, request, context, Mode.DIALOGUE, listener))

    async def ask(self, request: Request, listener: Listener | None = None, ticket: Ticket | None = None) -> str:
        """Answer a single question; the dialogue is neither read nor changed. Raises as `talk` does."""
        async with self.turn(request, ticket) as errand:
            return await self._store(request, await self.exchange(errand, request, [], Mode.ASK, listener))

    async def whisper(self, request: Request) -> Line:
        """Answer a single question; neither it nor the answer is kept. Raises as `talk` does."""
        async with self.turn(request) as errand:
            return (await self.exchange(errand, request, [], Mode.ASK)).answer

    async def reset(self, conversation: Conversation) -> None:
        """Forget the dialogue: later answers do not see what was said before."""
        async with self._unit_of_work() as work:
            await work.forget_context(conversation)
            await work.commit()

    @asynccontextmanager
    async def turn(self, request: Request, ticket: Ticket | None = None) -> AsyncIterator[Errand]:
        """Hold the conversation's turn, in which `exchange` may be called."""
        errand = self._stopping.errand(request.receipt)
        async with errand.thinking(), self._replies.turn(request.conversation, ticket):
            yield errand

    async def exchange(
        self, errand: Errand, request: Request, context: Sequence[Line], mode: Mode, listener: Listener | None = None
    ) -> Exchange:
        """Let the character answer, without storing anything. From here on the errand cannot be stopped."""
        async with self._cast.on_stage(request.conversation) as role:
            actor, history = role.actor, [*context, request.line]
            if request.conversation.in_group:
                history[-1] = replace(request.line, person=request.person)
                history = told_apart(history, actor.name)
            text = await _listen(actor, history, listener)
            errand.settle()
            answer = Line(actor.name, text, is_character=True)
            return Exchange(request.line, answer, mode, actor.version, request.person, request.message, role.persona)

    async def _store(self, request: Request, exchange: Exchange) -> str:
        async with self._unit_of_work() as work:
            await work.remember(request.conversation, exchange)
            if request.receipt is not None:
                await work.answered(request.receipt, exchange.answer.text)
            await work.commit()
        return exchange.answer.text


async def _listen(actor: Actor, history: Sequence[Line], listener: Listener | None) -> str:
    text = ""
    async with aclosing(actor.reply(history)) as pieces:
        async for piece in pieces:
            text += piece
            if listener and (so_far := text.strip()):
                listener(so_far)
    if not text.strip():
        raise EmptyAnswerError(f"{actor.name} gave an empty answer")
    return text.strip()

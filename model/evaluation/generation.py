"""Answers as they are served: the same character, engine and settings that people meet."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from model.character import Character, context_length
from model.content_filter import ContentFilter
from model.engine import Engine, GenerationSettings, Piece
from model.evaluation.corpus import Exchange, dialogues
from model.examples import spread
from model.persona import Persona
from model.prompt import Prompt, Turn

if TYPE_CHECKING:
    from tqdm import tqdm

SINGLES = 200
DIALOGUES = 20
MEMORY = 7  # lines: six and the new one, as the bot keeps by default
AT_ONCE = 8  # requests in one running batch: enough for two cores


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a held-out line, and the true one.

    `context` is what the character was given, oldest line first. `at_limit` says that the length limit ended the
    generation, `dialogue` which one this belongs to (None: it stands alone), `draws` how many it took.
    """

    context: tuple[Turn, ...]
    truth: str
    text: str
    at_limit: bool = False
    dialogue: int | None = None
    draws: int = 1

    @property
    def question(self) -> str:
        """The line that is answered."""
        return self.context[-1].text


@dataclass(frozen=True, slots=True)
class Script:
    """What is asked: single exchanges, and dialogues of up to six held-out lines of a scene."""

    singles: list[Exchange]
    dialogues: list[list[Exchange]]

    @classmethod
    def of(cls, exchanges: Sequence[Exchange], limit: int = SINGLES) -> "Script":
        """At most 200 single exchanges and 20 dialogues, evenly spread; `limit` lessens both alike.

        Where there are fewer exchanges, they come again (and get another seed).
        """
        singles = min(limit, SINGLES)
        rounds = -(-singles // len(exchanges))
        asked = spread(exchanges, singles) * rounds
        return cls(asked[:singles], spread(dialogues(exchanges), -(-singles * DIALOGUES // SINGLES)))

    @property
    def truths(self) -> list[Answer]:
        """What the character really said, in the form and order of the generated answers."""
        singles = [Answer(exchange.context, exchange.answer, exchange.answer) for exchange in self.singles]
        return singles + [
            Answer(exchange.context, exchange.answer, exchange.answer, dialogue=number)
            for number, run in enumerate(self.dialogues)
            for exchange in run
        ]


def by_dialogue(answers: Iterable[Answer]) -> list[list[Answer]]:
    """The answers of each dialogue, in order; those that stand alone are left out."""
    dialogues: dict[int, list[Answer]] = {}
    for answer in answers:
        if answer.dialogue is not None:
            dialogues.setdefault(answer.dialogue, []).append(answer)
    return list(dialogues.values())


def generate_answers(
    folder: Path,
    persona: Persona,
    script: Script,
    progress: str = "",
    settings: GenerationSettings | None = None,
    counted: Callable[[], object] = lambda: None,
) -> list[Answer]:
    """Let a character answer; `folder` is what the default engine reads. ModelError if it cannot be loaded.

    The n-th request has the seed n, and else the `settings` (or those that are served). A dialogue alone has the same
    answers each time; of many at once, those that share a step change each other's last digits, and with them now and
    then a word. A bar with the title `progress`, if one is given; `counted` is called after each answer.
    """
    return asyncio.run(_generate(folder, persona, script, progress, settings or GenerationSettings(), counted))


async def _generate(
    folder: Path,
    persona: Persona,
    script: Script,
    progress: str,
    settings: GenerationSettings,
    counted: Callable[[], object],
) -> list[Answer]:
    from tqdm import tqdm

    from model.engines.openvino import OpenVINOEngine

    prompt = Prompt.from_folder(folder, persona.card)
    engine = OpenVINOEngine(folder, prompt)
    length, content_filter = context_length(folder), ContentFilter()
    with tqdm(total=len(script.truths), desc=progress, unit="answer", leave=False, disable=not progress) as bar:
        try:
            interview = Interview(
                lambda watched: Character(persona, "", prompt, watched, length, content_filter),
                engine,
                bar,
                settings,
                counted,
            )
            return await interview.run(script)
        finally:
            await engine.close()


class Interview:
    """Asks a character everything in a script, eight lines at once."""

    def __init__(
        self,
        open_character: Callable[[Engine], Character],
        engine: Engine,
        bar: "tqdm[NoReturn]",
        settings: GenerationSettings,
        counted: Callable[[], object] = lambda: None,
    ) -> None:
        self._open_character = open_character
        self._engine = engine
        self._bar = bar
        self._settings = settings
        self._counted = counted
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def run(self, script: Script) -> list[Answer]:
        """The answers, single ones first, in the order of the script."""
        singles = [self._single(exchange, seed) for seed, exchange in enumerate(script.singles)]
        starts = accumulate(map(len, script.dialogues), initial=len(singles))
        dialogues = [
            self._talk(run, number, seed)
            for number, (run, seed) in enumerate(zip(script.dialogues, starts, strict=False))
        ]
        return list(chain.from_iterable(await asyncio.gather(*singles, *dialogues)))

    async def _single(self, exchange: Exchange, seed: int) -> list[Answer]:
        return [await self._answer(exchange, exchange.context, seed)]

    async def _talk(self, run: Iterable[Exchange], number: int, first_seed: int) -> list[Answer]:
        """Say the others' lines one by one; what the character answers becomes part of the context."""
        history: list[Turn] = []
        answers = []
        for seed, exchange in enumerate(run, first_seed):
            history.append(exchange.context[-1])
            answer = await self._answer(exchange, tuple(history[-MEMORY:]), seed, number)
            if answer.text:
                history.append(Turn("", answer.text, True))
            answers.append(answer)
        return answers

    async def _answer(
        self, exchange: Exchange, context: tuple[Turn, ...], seed: int, dialogue: int | None = None
    ) -> Answer:
        watched = WatchedEngine(self._engine)
        async with self._turn:
            pieces = self._open_character(watched).reply(context, replace(self._settings, seed=seed))
            text = "".join([piece async for piece in pieces])
        self._bar.update()
        self._counted()
        return Answer(context, exchange.answer, text, watched.at_limit, dialogue, watched.draws)


class WatchedEngine:
    """Implements `model.engine.Engine` over another: counts generations, knows if the length limit ended the last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.at_limit = False
        self.draws = 0

    async def generate(self, prompt: Sequence[int], settings: GenerationSettings) -> AsyncGenerator[Piece, None]:
        """See `model.engine.Engine.generate`."""
        self.at_limit = False
        self.draws += 1
        async with aclosing(self._engine.generate(prompt, settings)) as pieces:
            async for piece in pieces:
                self.at_limit = piece.cut_off
                yield piece

    async def close(self) -> None:
        """The other's owner closes it."""

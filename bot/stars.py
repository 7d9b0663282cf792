"""The characters of the model package as the bot's actors, and what these were trained on as its script."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.chat_service import Actor, Line
from bot.chat_settings import Creativity, Length, Manner
from bot.errors import RetrainingError, SettingsError
from bot.origins import Answer, Origin, ScriptLine
from bot.personas import Card, Roster
from bot.settings import Settings
from bot.training.succession import Shelf

if TYPE_CHECKING:
    from model.character import Character
    from model.engine import GenerationSettings
    from model.sources import Source, Sources
    from model.store import Store

log = logging.getLogger(__name__)

SHORT, LONG = 2 / 3, 2  # Times the usual number of tokens: fewer would cut off most answers before their first end.


class Star:
    """A character of the model package as the service's actor."""

    def __init__(self, character: "Character", sampling: Mapping[str, Any]) -> None:
        from model.engine import GenerationSettings

        self._character = character
        self._settings = GenerationSettings(**sampling)
        self.name = character.name
        self.version = character.version
        self.greeting = character.greeting

    def acting(self, manner: Manner) -> "Star":
        """The same character, answering in this manner."""
        return Star(self._character, asdict(self._settings) | _sampling(self._settings, manner))

    async def reply(self, history: Sequence[Line]) -> AsyncGenerator[str, None]:
        """Stream the answer to the last line."""
        from model.prompt import Turn

        turns = [Turn(line.speaker, line.text, line.is_character) for line in history]
        async with aclosing(self._character.reply(turns, self._settings)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        """Free the model."""
        await self._character.close()


def _sampling(usual: "GenerationSettings", manner: Manner) -> dict[str, Any]:
    """What a manner changes in the settings of a request."""
    from model.engine import MOST_NEW_TOKENS

    warm, tokens = usual.temperature, usual.max_new_tokens
    temperatures = {Creativity.CALM: warm / 2, Creativity.TRAINED: warm, Creativity.WILD: warm + 0.4}
    lengths = {Length.SHORT: int(tokens * SHORT) or 1, Length.NORMAL: tokens, Length.LONG: tokens * LONG}
    return {
        "temperature": temperatures[manner.creativity],
        "max_new_tokens": min(lengths[manner.length], MOST_NEW_TOKENS),
    }


class TrainedScript:
    """What the versions of personas were trained on, as the script of `bot.origins`; read when first asked for.

    Answers from before people could choose are those of the persona `default`.
    """

    def __init__(self, default: str, store: Path) -> None:
        self._default = default
        self._store = store
        self._reading = asyncio.Lock()
        self._last: tuple[tuple[str, str], Sources | None] | None = None

    async def trace(self, answer: Answer) -> Origin | None:
        """Where an answer may come from; None where its version does not tell."""
        async with self._reading:
            return await asyncio.to_thread(self._trace, answer)

    def _trace(self, answer: Answer) -> Origin | None:
        sources = self._sources(answer.persona or self._default, answer.version)
        if sources is None:
            return None
        trace = sources.trace(answer.text)
        return Origin([_script_line(source) for source in trace.sources], trace.copied, trace.whole)

    def _sources(self, persona: str, version: str) -> "Sources | None":
        from model.errors import ModelError
        from model.sources import load_sources

        key = persona, version
        if self._last is None or self._last[0] != key:
            try:
                self._last = key, load_sources(persona, self._store, version)
            except ModelError as error:
                log.warning("/why has no answer: %s", error)
                return None
        return self._last[1]


class StoredVersions:
    """The versions in the model store, for `bot.training.succession`."""

    def __init__(self, store: Path) -> None:
        self._folder = store

    def shelf(self, persona: str) -> Shelf:
        """See `bot.training.succession.Versions`."""
        with self._store() as store:
            return Shelf(tuple(store.names(persona)), store.live_name(persona), tuple(store.earlier(persona)))

    def roll_back(self, persona: str) -> None:
        """See `bot.training.succession.Versions`."""
        with self._store() as store:
            store.rollback(persona)

    def promote(self, persona: str, version: str) -> None:
        """See `bot.training.succession.Versions`."""
        with self._store() as store:
            store.promote(persona, version)

    @contextmanager
    def _store(self) -> Iterator["Store"]:
        from model.errors import ModelError
        from model.store import Store

        try:
            yield Store(self._folder)
        except (ModelError, OSError) as error:
            raise RetrainingError(str(error)) from error


def _script_line(source: "Source") -> ScriptLine:
    line, before = source.line, source.before
    return ScriptLine(
        said=Line(line.speaker, line.text, line.own),
        before=Line(before.speaker, before.text, before.own) if before else None,
        episode=line.episode,
        place=line.place,
    )


def build_roster(settings: Settings, actor: Actor) -> Roster:
    """Whom people can choose: `actor`, who plays PERSONA, and those of PERSONAS that are there to be loaded."""
    from model.errors import ModelError
    from model.store import Store

    store = Store(settings.model_store)
    cards = {settings.persona: Card(settings.persona, actor.name, greeting=actor.greeting)}
    for persona in settings.personas | {settings.persona}:
        try:
            card = store.card(persona)
        except ModelError as error:
            if persona not in cards:
                log.warning("PERSONAS: %s is not offered: %s", persona, error)
            continue
        # Of who is loaded, it is the actor who knows how to introduce itself.
        known = cards.get(persona) or Card(persona, card.name, greeting=card.greeting)
        cards[persona] = replace(known, about=card.about, languages=card.languages, unreadable=card.unreadable)
    return Roster(settings.persona, [cards[persona] for persona in sorted(cards)])


def load_actor(settings: Settings) -> Star:
    """Load the character that the settings name; takes seconds. Raises SettingsError."""
    from model.character import load_character
    from model.errors import ModelError

    try:
        character = load_character(settings.persona, settings.model_store, settings.engine, settings.content_filter)
        return Star(character, settings.sampling())
    except ModelError as error:
        keys = f"PERSONA={settings.persona}, MODEL_STORE={settings.model_store}, ENGINE={settings.engine}"
        raise SettingsError(f"the character cannot be loaded ({keys}): {error}") from error


def load_persona(settings: Settings, persona: str) -> Star:
    """Load a character that people may choose; as `load_actor` does."""
    return load_actor(settings.model_copy(update={"persona": persona}))

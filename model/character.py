"""A character that answers: persona card, prompt and engine put together. Knows nothing of Telegram."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from model.answer_checks import AnswerChecks, Guard
from model.atomic import read_json
from model.content_filter import ContentFilter
from model.engine import SEEDS, Engine, GenerationSettings
from model.errors import ModelError
from model.persona import Persona
from model.prompt import Prompt, Turn
from model.sentences import Sentences
from model.store import Store, Version
from model.zoo import base_folder

ENGINES = ("openvino", "transformers")
MAX_CONTEXT = 1024  # tokens of prompt and answer together, also where a base could hold more
DRAWS = 3
REDRAW_TEMPERATURE = 0.7
SPEECHLESS = "I don't know what to say to that. What else is on your mind?"


class Character:
    """Someone to talk to. Without a `content_filter` there are no words that are kept back."""

    def __init__(
        self,
        persona: Persona,
        version: str,
        prompt: Prompt,
        engine: Engine,
        context: int,
        content_filter: ContentFilter | None = None,
    ) -> None:
        self.id = persona.id
        self.name = persona.name
        self.greeting = persona.greeting
        self.version = version
        self.speechless = persona.speechless or SPEECHLESS
        self._prompt = prompt
        self._engine = engine
        self._context = context
        self._checks = AnswerChecks(persona.name, content_filter.blocks if content_filter else lambda _: False)

    async def reply(
        self, history: Sequence[Turn], settings: GenerationSettings | None = None
    ) -> AsyncGenerator[str, None]:
        """Stream the character's answer to a dialogue that ends with the line to answer.

        Sentence by sentence, so that what fails the checks is never seen (`model.answer_checks`), nor a sentence that
        the length limit cut off. If nothing is left, another answer is drawn, at most twice; after that the character
        says that it is at a loss, so an answer is never empty. Closing the generator cancels the work.
        """
        settings = settings or GenerationSettings()
        prompt = self._prompt.encode(history, self._context - min(settings.max_new_tokens, self._context // 2))
        own = [turn.text for turn in history if turn.is_character]
        for draw in range(DRAWS):
            guard = self._checks.guard(own)
            async with aclosing(self._draw(prompt, for_draw(settings, draw), guard)) as parts:
                async for part in parts:
                    yield part
            if guard.begun:
                return
        yield SPEECHLESS if self.speechless in own[-1:] else self.speechless

    async def _draw(self, prompt: list[int], settings: GenerationSettings, guard: Guard) -> AsyncGenerator[str, None]:
        """One answer, as far as it passes."""
        sentences = Sentences()
        async with aclosing(self._engine.generate(prompt, settings)) as pieces:
            async for piece in pieces:
                for sentence in sentences.push(piece):
                    if ready := guard.push(sentence):
                        yield ready
                if guard.closed:
                    return
        for sentence in sentences.finish():
            if ready := guard.push(sentence):
                yield ready
        if ready := guard.finish():
            yield ready

    async def close(self) -> None:
        """Free the engine."""
        await self._engine.close()


def for_draw(settings: GenerationSettings, number: int) -> GenerationSettings:
    """For the n-th draw of an answer (0: the first): another seed, and warm enough not to say the same again."""
    if number == 0:
        return settings
    seed = None if settings.seed is None else (settings.seed + number) % SEEDS
    return replace(settings, seed=seed, temperature=max(settings.temperature, REDRAW_TEMPERATURE))


def load_character(persona: str, store: Path, engine: str = "openvino", content_filter: bool = True) -> Character:
    """Load the live version of a persona; ModelError says in one line what is missing or damaged."""
    words_kept_back = ContentFilter() if content_filter else None
    try:
        return _load(persona, store, engine, words_kept_back)
    except ModuleNotFoundError as error:
        raise ModelError(f"engine {engine!r} needs {error.name}, which `make install-dev` installs") from error
    except OSError as error:
        raise ModelError(f"{error.filename or store}: {error.strerror or error}") from error


def _load(persona: str, store: Path, engine: str, content_filter: ContentFilter | None) -> Character:
    if engine not in ENGINES:
        raise ModelError(f"engine {engine!r} is unknown; there are: {', '.join(ENGINES)}")
    version = Store(store).live(persona)
    version.verify()
    card = version.persona
    prompt = Prompt.from_folder(version.engine_folder, card.card)
    engine_in_use = _engine(engine, version, prompt)
    length = context_length(version.engine_folder)
    return Character(card, version.name, prompt, engine_in_use, length, content_filter)


def _engine(name: str, version: Version, prompt: Prompt) -> Engine:
    if name == "openvino":
        from model.engines.openvino import OpenVINOEngine

        return OpenVINOEngine(version.engine_folder, prompt)
    from model.engines.transformers import load

    return load(version.weights or base_folder(version.base), version.adapter)


def context_length(folder: Path) -> int:
    """How many tokens of prompt and answer together are used of a model, whose `config.json` lies in `folder`."""
    config = read_json(folder / "config.json")
    return min(int(config.get("max_position_embeddings") or config.get("n_positions") or MAX_CONTEXT), MAX_CONTEXT)

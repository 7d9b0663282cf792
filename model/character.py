"""A character that answers: persona card, prompt and engine put together. Knows nothing of Telegram."""

import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from model.atomic import read_json
from model.engine import Engine, GenerationSettings, Piece
from model.errors import ModelError
from model.persona import Persona
from model.prompt import Prompt, Turn
from model.store import Store, Version
from model.zoo import base_folder

ENGINES = ("openvino", "transformers")
SENTENCE_END = re.compile(r"""[.!?…]["'”’)*]*(?=\s)""")
WHOLE = re.compile(r"""[.!?…]["'”’)*]*$""")
MAX_CONTEXT = 1024  # tokens of prompt and answer together, also where a base could hold more


class Sentences:
    """Holds text back until its sentence has ended."""

    def __init__(self) -> None:
        self._held = ""
        self._begun = self._cut_off = False

    def push(self, piece: Piece) -> str:
        """The sentences that `piece` completes, with the white space in front of them; mostly ""."""
        self._held += piece.text if self._begun or self._held else piece.text.lstrip()
        self._cut_off = self._cut_off or piece.cut_off
        ends = [match.end() for match in SENTENCE_END.finditer(self._held)]
        ready, self._held = (self._held[: ends[-1]], self._held[ends[-1] :]) if ends else ("", self._held)
        self._begun = self._begun or bool(ready)
        return ready

    def finish(self) -> str:
        """What is left, unless it was cut off in its middle and something else has been said."""
        rest = self._held.rstrip()
        return "" if self._cut_off and self._begun and not WHOLE.search(rest) else rest


class Character:
    """Someone to talk to."""

    def __init__(self, persona: Persona, version: str, prompt: Prompt, engine: Engine, context: int) -> None:
        self.id = persona.id
        self.name = persona.name
        self.greeting = persona.greeting
        self.version = version
        self._prompt = prompt
        self._engine = engine
        self._context = context

    async def reply(
        self, history: Sequence[Turn], settings: GenerationSettings | None = None
    ) -> AsyncGenerator[str, None]:
        """Stream the character's answer to a dialogue that ends with the line to answer.

        Sentence by sentence, so that one which the length limit cut off can be left out. White space around the
        answer is left out too; an answer can still be empty. Closing the generator cancels the work.
        """
        settings = settings or GenerationSettings()
        prompt = self._prompt.encode(history, self._context - min(settings.max_new_tokens, self._context // 2))
        pieces = self._engine.generate(prompt, settings)
        sentences = Sentences()
        try:
            async for piece in pieces:
                if ready := sentences.push(piece):
                    yield ready
            if rest := sentences.finish():
                yield rest
        finally:
            await pieces.aclose()

    async def close(self) -> None:
        """Free the engine."""
        await self._engine.close()


def load_character(persona: str, store: Path, engine: str = "openvino") -> Character:
    """Load the live version of a persona; ModelError says in one line what is missing or damaged."""
    try:
        return _load(persona, store, engine)
    except ModuleNotFoundError as error:
        raise ModelError(f"engine {engine!r} needs {error.name}, which `make install-dev` installs") from error
    except OSError as error:
        raise ModelError(f"{error.filename or store}: {error.strerror or error}") from error


def _load(persona: str, store: Path, engine: str) -> Character:
    if engine not in ENGINES:
        raise ModelError(f"engine {engine!r} is unknown; there are: {', '.join(ENGINES)}")
    version = Store(store).live(persona)
    version.verify()
    card = version.persona
    prompt = Prompt.from_folder(version.engine_folder, card.card)
    engine_in_use = _engine(engine, version, prompt)
    return Character(card, version.name, prompt, engine_in_use, context_length(version.engine_folder))


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

"""A character that answers: persona card, prompt and engine put together. Knows nothing of Telegram."""

import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from model.engine import Engine, GenerationSettings
from model.errors import ModelError
from model.persona import Persona
from model.prompt import Prompt, Turn
from model.store import Store, Version
from model.zoo import base_folder

ENGINES = ("openvino", "transformers")
MAX_CONTEXT = 1024  # tokens of prompt and answer together, also where a base could hold more


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

        Closing the generator cancels the work. Leading white space is left out; an answer can still be empty.
        """
        settings = settings or GenerationSettings()
        prompt = self._prompt.encode(history, self._context - min(settings.max_new_tokens, self._context // 2))
        pieces = self._engine.generate(prompt, settings)
        begun = False
        try:
            async for piece in pieces:
                text = piece if begun else piece.lstrip()
                begun = begun or bool(text)
                if text:
                    yield text
        finally:
            await pieces.aclose()

    async def close(self) -> None:
        """Free the engine."""
        await self._engine.close()


def load_character(persona: str, store: Path, engine: str = "openvino") -> Character:
    """Load the live version of a persona; ModelError says in one line what is missing or damaged."""
    if engine not in ENGINES:
        raise ModelError(f"engine {engine!r} is unknown; there are: {', '.join(ENGINES)}")
    version = Store(store).live(persona)
    version.verify()
    card = version.persona
    prompt = Prompt.from_folder(version.engine_folder, card.card)
    context = min(_context_length(version.engine_folder / "config.json"), MAX_CONTEXT)
    return Character(card, version.name, prompt, _engine(engine, version, prompt), context)


def _engine(name: str, version: Version, prompt: Prompt) -> Engine:
    if name == "openvino":
        from model.engines.openvino import OpenVINOEngine

        return OpenVINOEngine(version.engine_folder, prompt)
    from model.engines.transformers import load

    return load(version.weights or base_folder(version.base), version.adapter)


def _context_length(config_file: Path) -> int:
    config = json.loads(config_file.read_text(encoding="utf-8"))
    return int(config.get("max_position_embeddings") or config.get("n_positions") or MAX_CONTEXT)

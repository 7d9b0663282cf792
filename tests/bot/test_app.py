"""The composition root: what of the settings reaches the character."""

from pathlib import Path
from typing import Any

import pytest

from bot.app import load_actor
from bot.settings import Settings


class Silent:
    """A character that is loaded and never asked."""

    name, version, greeting = "Lisa Simpson", "v1", "Hi!"


@pytest.mark.parametrize("switch", [True, False])
def test_the_settings_choose_persona_store_engine_and_filter(switch: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def load_character(*arguments: Any) -> Silent:
        asked.append(arguments)
        return Silent()

    monkeypatch.setattr("model.character.load_character", load_character)
    settings = Settings(persona="bart", model_store=Path("store"), engine="transformers", content_filter=switch)
    assert load_actor(settings).name == "Lisa Simpson"
    assert asked == [("bart", Path("store"), "transformers", switch)]

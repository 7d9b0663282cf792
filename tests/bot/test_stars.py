"""Stars: what of the settings reaches the character."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.chat_service import Line
from bot.chat_settings import Creativity, Length, Manner
from bot.personas import Card
from bot.settings import Settings
from bot.stars import build_roster, load_actor
from tests.bot.actors import ScriptedActor


class Recording:
    """A character that remembers with which settings it was asked."""

    name, version, greeting = "Lisa Simpson", "v1", "Hi!"

    def __init__(self) -> None:
        self.settings: list[Any] = []

    async def reply(self, _turns: Any, settings: Any) -> AsyncIterator[str]:
        self.settings.append(settings)
        yield "Hi."


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


@pytest.mark.parametrize(
    ("manner", "temperature", "tokens"),
    [
        (Manner(), 0.6, 30),
        (Manner(Creativity.CALM, Length.SHORT), 0.3, 20),
        (Manner(Creativity.WILD, Length.LONG), 1.0, 60),
    ],
)
async def test_a_manner_moves_temperature_and_length_around_what_the_operator_has_set(
    manner: Manner, temperature: float, tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    character = Recording()
    monkeypatch.setattr("model.character.load_character", lambda *_: character)
    actor = load_actor(Settings(temperature=0.6, max_new_tokens=30, top_k=7)).acting(manner)
    assert [piece async for piece in actor.reply([Line("Ned", "Hello")])] == ["Hi."]
    (used,) = character.settings
    assert (used.temperature, used.max_new_tokens, used.top_k) == (pytest.approx(temperature), tokens, 7)


def test_without_a_list_only_the_operators_own_character_can_be_chosen(tmp_path: Path) -> None:
    (card,) = build_roster(Settings(model_store=tmp_path), ScriptedActor()).cards
    assert (card.id, card.name, card.greeting) == ("lisa", "Lisa Simpson", "Hi, I'm Lisa!")
    assert card.about.startswith("Eight years old")
    assert card.languages == ("en",)
    assert card.unreadable["photo"]


def test_a_character_without_a_card_in_the_store_introduces_itself(tmp_path: Path) -> None:
    roster = build_roster(Settings(persona="nobody", model_store=tmp_path), ScriptedActor())
    assert roster.card(None) == Card("nobody", "Lisa Simpson", greeting="Hi, I'm Lisa!")

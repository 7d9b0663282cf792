"""What cannot be read: its kind, and words about it that are never the same twice in a row."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from telegram import Message

from bot.locales import Locales
from bot.personas import Card
from bot.unreadable import CAPTION, OTHER, Excuses, kind_of, neutral_words
from model.persona import UNREADABLE, read_persona

ENGLISH = Locales().speak("en")
LISA = Path(__file__).parents[2] / "model" / "personas" / "lisa" / "persona.toml"
FILE = {"file_id": "f", "file_unique_id": "f"}
PICTURE = FILE | {"width": 1, "height": 1}
FILM = PICTURE | {"duration": 1}
PLACE = {"longitude": 1.0, "latitude": 2.0}
STICKER = PICTURE | {"type": "regular", "is_animated": False, "is_video": False}
POLL: dict[str, Any] = {"id": "1", "question": "?", "options": [], "total_voter_count": 0, "type": "regular"}
POLL |= {"is_closed": False, "is_anonymous": True, "allows_multiple_answers": False}
POLL |= {"allows_revoting": False, "members_only": False, "shuffle_options": False, "hide_results_until_closes": False}


def message(number: int = 1, chat: int = 1, **content: Any) -> Message:
    """A message as Telegram sends it."""
    bare = {"message_id": number, "date": 0, "chat": {"id": chat, "type": "private"}}
    return Message.de_json(bare | content, None)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"photo": [PICTURE]}, "photo"),
        ({"animation": FILM, "document": FILE}, "video"),
        ({"video": FILM}, "video"),
        ({"video_note": FILE | {"length": 1, "duration": 1}}, "video"),
        ({"sticker": STICKER}, "sticker"),
        ({"voice": FILE | {"duration": 1}}, "voice"),
        ({"audio": FILE | {"duration": 1}}, "voice"),
        ({"document": FILE}, "document"),
        ({"location": PLACE}, "location"),
        ({"venue": {"location": PLACE, "title": "School", "address": "1"}, "location": PLACE}, "location"),
        ({"poll": POLL}, "poll"),
        ({"dice": {"emoji": "🎲", "value": 4}}, "dice"),
        ({"contact": {"phone_number": "1", "first_name": "Ned"}}, "other"),
    ],
)
def test_every_kind_is_told_from_the_others(content: dict[str, Any], kind: str) -> None:
    assert kind_of(message(**content)) == kind


def test_a_card_can_have_words_for_exactly_the_kinds_that_there_are() -> None:
    from bot.unreadable import KINDS

    assert {*KINDS.values(), CAPTION, OTHER} == set(UNREADABLE)


@pytest.mark.parametrize("kind", UNREADABLE)
def test_for_every_kind_there_are_several_sentences_of_lisas_and_of_anybodys(kind: str) -> None:
    for words in (neutral_words(ENGLISH, kind), read_persona(LISA).unreadable[kind]):
        assert len(set(words)) >= 3
        assert all(len(each) <= 120 for each in words)


@pytest.mark.parametrize("distance", [1, 2, 3, 6])
def test_nothing_is_said_twice_in_a_row_in_a_chat(distance: int) -> None:
    excuses, card = Excuses(), Card("x", "X")
    said = [excuses.choose(ENGLISH, card, message(10 + distance * each), "photo") for each in range(9)]
    assert all(before != after for before, after in pairwise(said))


def test_the_same_message_gets_the_same_words_also_after_a_restart() -> None:
    card = Card("x", "X")
    assert len({Excuses().choose(ENGLISH, card, message(10), "dice") for _ in range(5)}) == 1


def test_chats_do_not_mind_each_other() -> None:
    excuses, card = Excuses(), Card("x", "X")
    assert len({excuses.choose(ENGLISH, card, message(10, chat), "poll") for chat in (1, 2, 3)}) == 1


def test_a_characters_own_words_come_before_those_that_fit_anybody() -> None:
    card = Card("x", "X", unreadable={"photo": ("Ay caramba!",), "dice": ()})
    assert Excuses().choose(ENGLISH, card, message(), "photo") == "Ay caramba!"
    assert Excuses().choose(ENGLISH, card, message(), "dice") in neutral_words(ENGLISH, "dice")


def test_of_an_album_something_is_said_once() -> None:
    excuses = Excuses()
    albums = ["1", "1", "1", None, "1", None, "2", "2"]
    told = [excuses.is_told(message(number, media_group_id=album)) for number, album in enumerate(albums, 1)]
    assert told == [False, True, True, False, True, False, False, True]


def test_an_album_whose_first_picture_is_handled_again_is_not_passed_over() -> None:
    excuses = Excuses()
    assert [excuses.is_told(message(number, media_group_id="1")) for number in (5, 5, 6)] == [False, False, True]

"""Where an answer of the dialogue stands in its chat, and the buttons under it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update

from bot.chat_service import Mode
from bot.feedback import Gesture, Judgement
from bot.locales import Locales, Translate
from bot.second_thoughts import Piece, SecondThoughts
from bot.transport.addressing import language_of, owner_of

PRESSED = re.compile(r"(again|show):([0-9]{1,18}):([0-9]{1,9})")


class Wish(StrEnum):
    """What a button under an answer is for."""

    AGAIN = "again"
    SHOW = "show"


@dataclass(frozen=True, slots=True)
class Press:
    """A button was pressed: under which answer, and which one to show, or how many there were when another was wished.

    Absolute numbers make a press mean the same when it is handled a second time, and tell a second press on "another
    answer" from the first.
    """

    wish: Wish
    piece: int
    number: int

    def __str__(self) -> str:
        return f"{self.wish}:{self.piece}:{self.number}"


def read_press(data: str) -> Press | None:
    """What the data of a button says; None if it is none of these buttons."""
    found = PRESSED.fullmatch(data)
    return Press(Wish(found[1]), int(found[2]), int(found[3])) if found else None


@dataclass(frozen=True, slots=True)
class Place:
    """The messages that hold the answer to a question already, and the buttons under the last of them."""

    question: int
    buttons: InlineKeyboardMarkup | None
    messages: Sequence[int] = field(default=())


def place_of(piece: Piece, _: Translate) -> Place:
    """Where an exchange stands, with the buttons as they should be now; a single question's answer gets none."""
    return Place(piece.id, buttons_of(piece, _) if piece.mode is Mode.DIALOGUE else None, piece.answered_in)


def buttons_of(piece: Piece, _: Translate, is_last: bool = True) -> InlineKeyboardMarkup:
    """The buttons under an answer. Only the last one of the dialogue can be changed, but each can be judged."""
    count = len(piece.answers)
    again = InlineKeyboardButton("🔄", callback_data=str(Press(Wish.AGAIN, piece.id, count)))
    rows = [[*_verdicts(piece), again] if is_last else _verdicts(piece)]
    if is_last and count > 1:
        rows.insert(0, _pages(piece, count))
    if piece.is_disliked:
        rows.append([_judging(piece, _("What should I have said?"), Gesture.CORRECT)])
    return InlineKeyboardMarkup(rows)


class Placements:
    """Finds the place for an answer that is on record."""

    def __init__(self, thoughts: SecondThoughts, locales: Locales) -> None:
        self._thoughts = thoughts
        self._locales = locales

    async def find(self, update: Update) -> Place | None:
        """The place of what is to be sent for an update; None if that is no answer of the dialogue."""
        piece = await self._thoughts.answered_by(update.update_id)
        return place_of(piece, self._locales.speak(language_of(update))) if piece else None

    async def former(self, update: Update, number: int) -> tuple[str, InlineKeyboardMarkup | None] | None:
        """The answer that begins in the message of this number, and its buttons; None if there is none."""
        where = owner_of(update)[0]
        piece = where and await self._thoughts.last(where)
        if not piece or number not in piece.answered_in[:1]:
            return None
        return piece.answers[piece.shown - 1], place_of(piece, self._locales.speak(language_of(update))).buttons


def _verdicts(piece: Piece) -> list[InlineKeyboardButton]:
    return [_judging(piece, "👍", Gesture.LIKE), _judging(piece, "👎", Gesture.DISLIKE)]


def _judging(piece: Piece, label: str, gesture: Gesture) -> InlineKeyboardButton:
    # With the number of the answer: it may not be the one that is shown any more when the press is handled.
    return InlineKeyboardButton(label, callback_data=str(Judgement(gesture, piece.id, piece.shown)))


def _pages(piece: Piece, count: int) -> list[InlineKeyboardButton]:
    # Both arrows always stay where they are, under the finger: after the last answer comes the first.
    pages = (
        ("◀", (piece.shown - 2) % count + 1),
        (f"{piece.shown}/{count}", piece.shown),
        ("▶", piece.shown % count + 1),
    )
    return [
        InlineKeyboardButton(label, callback_data=str(Press(Wish.SHOW, piece.id, number))) for label, number in pages
    ]

"""Feedback: what people think of an answer, and what the character should have said instead.

Everybody has one verdict on each answer. Knows neither Telegram nor SQL; it owns the commit, and what is changed for an
update is on record under its receipt, so that the same update, handled again, changes nothing more.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.chat_service import UnitOfWork
from bot.second_thoughts import Piece

# How long the next message of a private chat is taken as the words that were asked for.
PATIENCE = timedelta(minutes=10)
LIKING = frozenset("👍❤🔥👏😍🥰🤩🎉💯🏆👌💘😘🤗🆒⚡😁🤣") | {"❤\u200d🔥"}
DISLIKING = frozenset("👎💩🤮🤬😡🖕🤡")
AS_EMOJI = "\ufe0f"  # May follow a sign that is also known as a plain letter, as the heart is.


class Verdict(StrEnum):
    """What somebody thinks of an answer."""

    LIKED = "liked"
    DISLIKED = "disliked"
    WITHDRAWN = "withdrawn"


class Gesture(StrEnum):
    """What a button about an answer is for."""

    LIKE = "like"
    DISLIKE = "dislike"
    CORRECT = "correct"


VERDICTS = {Gesture.LIKE: Verdict.LIKED, Gesture.DISLIKE: Verdict.DISLIKED}
PRESSED = re.compile(rf"judge:({'|'.join(Gesture)}):([0-9]{{1,18}}):([0-9]{{1,9}})\Z")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A button was pressed: about which of the answers of an exchange, counted from 1."""

    gesture: Gesture
    piece: int
    number: int

    def __str__(self) -> str:
        return f"judge:{self.gesture}:{self.piece}:{self.number}"


def read_judgement(data: str) -> Judgement | None:
    """What the data of a button says; None if it is none of these buttons."""
    found = PRESSED.match(data)
    return Judgement(Gesture(found[1]), int(found[2]), int(found[3])) if found else None


def verdict_of(emojis: list[str]) -> Verdict:
    """What somebody means by the reactions that are now under an answer; WITHDRAWN where that is nothing clear."""
    signs = {emoji.replace(AS_EMOJI, "") for emoji in emojis}
    likes, dislikes = bool(signs & LIKING), bool(signs & DISLIKING)
    if likes == dislikes:
        return Verdict.WITHDRAWN
    return Verdict.LIKED if likes else Verdict.DISLIKED


@dataclass(frozen=True, slots=True)
class Opinion:
    """Somebody's verdict on an answer, and the `receipt` under which it was last changed."""

    verdict: Verdict
    receipt: int
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What somebody thinks now, of what, and whether the buttons under that answer are to change with it."""

    verdict: Verdict
    piece: Piece
    is_last: bool
    is_other: bool


class Opinions(UnitOfWork, Protocol):
    """A transaction on what people think. Numbers of chats and messages are Telegram's."""

    async def exchange(self, chat_id: int, number: int) -> Piece | None:
        """An exchange of this chat, in whatever topic, within the dialogue or not."""
        ...

    async def exchange_in(self, chat_id: int, message: int) -> Piece | None:
        """The exchange whose answer is in this message."""
        ...

    async def is_last(self, piece: Piece) -> bool:
        """Whether it is what can still be changed: the end of its dialogue."""
        ...

    async def opinion(self, piece: Piece, number: int, person: int) -> Opinion | None: ...
    async def judge(self, piece: Piece, number: int, person: int, opinion: Opinion) -> None:
        """Put a verdict in the place of the one before it, and of its correction; it is to be reviewed anew."""
        ...

    async def ask(self, piece: Piece, number: int, person: int, question: int, moment: datetime) -> None:
        """Wait for the person's correction, as a reply to the message `question` or as the next message.

        It is the only one who is waited for from now on as the next message.
        """
        ...

    async def asked_in(self, chat_id: int, person: int, question: int) -> int | None:
        """What a reply to this message corrects; None if that was no question to the person."""
        ...

    async def asked_since(self, chat_id: int, person: int, moment: datetime) -> int | None:
        """What the person's next message corrects; None if nothing was asked since then."""
        ...

    async def correct(self, number: int, words: str, receipt: int) -> None: ...
    async def end_waiting(self, person: int) -> None:
        """Take no next message of the person as a correction any more, only a reply."""
        ...

    async def stop_asking(self, chat_id: int, person: int) -> bool:
        """Wait for no correction any more; False if none was waited for."""
        ...


class Feedback:
    """What people do with the buttons and reactions under an answer."""

    def __init__(self, opinions: Callable[[], Opinions], clock: Callable[[], datetime]) -> None:
        self._opinions = opinions
        self._clock = clock

    async def press(self, chat_id: int, person: int, judgement: Judgement, receipt: int) -> Outcome | None:
        """Like or dislike an answer, or take that back by doing so again. None if there is no such answer."""
        async with self._opinions() as work:
            piece = await work.exchange(chat_id, judgement.piece)
            if piece is None or not 1 <= judgement.number <= len(piece.answers):
                return None
            before = await work.opinion(piece, judgement.number, person)
            wanted = VERDICTS[judgement.gesture]
            if before and before.receipt == receipt:  # Handled again.
                wanted = before.verdict
            elif before and before.verdict == wanted:
                wanted = Verdict.WITHDRAWN
            return await _judge(work, chat_id, piece, judgement.number, person, Opinion(wanted, receipt))

    async def react(self, chat_id: int, message: int, person: int, verdict: Verdict, receipt: int) -> Outcome | None:
        """Have this verdict on the answer in a message. None if there is no answer in it."""
        async with self._opinions() as work:
            piece = await work.exchange_in(chat_id, message)
            if piece is None or not piece.shown:
                return None
            return await _judge(work, chat_id, piece, piece.shown, person, Opinion(verdict, receipt))

    async def wishes(self, chat_id: int, person: int, judgement: Judgement) -> bool | None:
        """Whether to ask for a correction; False if that was done just now, None if there is no such answer."""
        async with self._opinions() as work:
            piece = await work.exchange(chat_id, judgement.piece)
            if piece is None or not 1 <= judgement.number <= len(piece.answers):
                return None
            before = await work.opinion(piece, judgement.number, person)
        return before is None or before.asked_at is None or before.asked_at < self._clock() - PATIENCE

    async def ask(self, chat_id: int, person: int, judgement: Judgement, receipt: int, question: int) -> None:
        """The message `question` has asked the person for a correction, which is a dislike in any case."""
        async with self._opinions() as work:
            piece = await work.exchange(chat_id, judgement.piece)
            if piece is None:  # Forgotten in this moment.
                return
            before = await work.opinion(piece, judgement.number, person)
            if before is None or before.verdict is not Verdict.DISLIKED:
                await work.judge(piece, judgement.number, person, Opinion(Verdict.DISLIKED, receipt))
            await work.ask(piece, judgement.number, person, question, self._clock())
            await work.commit()

    async def correct(
        self, chat_id: int, person: int, words: str, receipt: int, said: datetime, reply_to: int | None, confirm: str
    ) -> bool:
        """Take what was said at a time, perhaps as a reply, as the correction that was asked for; False if none was.

        A group (below 0) talks on meanwhile, so there only a reply is meant. `confirm` is put on record as the answer.
        """
        async with self._opinions() as work:
            if reply_to is not None:
                number = await work.asked_in(chat_id, person, reply_to)
            else:
                number = await work.asked_since(chat_id, person, said - PATIENCE) if chat_id > 0 else None
            if number is None:
                if reply_to is not None and chat_id > 0:  # With this message something else has begun.
                    await work.end_waiting(person)
                    await work.commit()
                return False
            await work.correct(number, words, receipt)
            await work.answered(receipt, confirm)
            await work.commit()
        return True

    async def cancel(self, chat_id: int, person: int, receipt: int, confirm: str) -> bool:
        """Wait for no correction any more; False if none was waited for. `confirm` is put on record as the answer."""
        async with self._opinions() as work:
            if not await work.stop_asking(chat_id, person):
                return False
            await work.answered(receipt, confirm)
            await work.commit()
        return True


async def _judge(work: Opinions, chat_id: int, piece: Piece, number: int, person: int, opinion: Opinion) -> Outcome:
    before = await work.opinion(piece, number, person)
    if (before.verdict if before else Verdict.WITHDRAWN) != opinion.verdict:
        await work.judge(piece, number, person, opinion)
    after = await work.exchange(chat_id, piece.id)
    assert after is not None, "it was there a moment ago"
    is_repeated = before is not None and before.receipt == opinion.receipt
    outcome = Outcome(
        opinion.verdict, after, await work.is_last(after), is_repeated or after.disliked != piece.disliked
    )
    await work.commit()
    return outcome

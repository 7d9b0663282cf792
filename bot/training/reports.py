"""Reports on trainings, in Telegram: a message that is edited as the work goes on, and the verdict as a picture.

How far it is is shown as well as that can be done. How it ended is told, however long that takes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message
from telegram.constants import MessageLimit
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot.locales import Locales, Translate
from bot.personas import Roster
from bot.training.events import Progress, Verdict
from bot.training.records import Phase, Training
from bot.training.texts import ending_text, paused_text, progress_text, verdict_text
from bot.transport.delivery import split
from bot.transport.flood_control import WHERE_THERE_IS_ROOM
from bot.transport.messages import NO_PREVIEW
from bot.transport.outages import is_enough, perhaps_sent, seconds_asked

log = logging.getLogger(__name__)

EDIT_SECONDS = 5.0  # Between two edits of how far it is.
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # Seconds between the attempts to tell how it ended; the last one for ever.
REFUSED = (BadRequest, Forbidden, InvalidToken)
PICTURE_NAME = "loss.png"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TrainingPress:
    """A button about a training: only `admin` may press it. `what` it is about is a number, or a persona's digest."""

    wish: str
    admin: int
    what: str

    def __str__(self) -> str:
        return f"train:{self.wish}:{self.admin}:{self.what}"


class Display:
    """Shows how far a training is: at most once in a while, and the latest that is known."""

    def __init__(self, show: Callable[[Progress | None], Awaitable[float]]) -> None:
        self._show = show
        self._progress: Progress | None = None
        self._news = asyncio.Event()
        self._over = asyncio.Event()

    def update(self, progress: Progress) -> None:
        """It has come so far."""
        self._progress = progress
        self._news.set()

    def close(self) -> None:
        """Nothing more is to be shown."""
        self._over.set()
        self._news.set()

    async def run(self) -> None:
        """Show what there is, until it is closed."""
        while not self._over.is_set():
            self._news.clear()
            asked = await self._show(self._progress)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), max(EDIT_SECONDS, asked))
            await self._news.wait()


class TrainingReports:
    """Implements `bot.training.records.Reports`."""

    def __init__(self, bot: ExtBot[Any], locales: Locales, roster: Roster) -> None:
        self._bot = bot
        self._locales = locales
        self._roster = roster

    @asynccontextmanager
    async def following(self, training: Training) -> AsyncIterator[Callable[[Progress], None]]:
        """See `bot.training.records.Reports`."""
        display = Display(partial(self._show, training))
        task = asyncio.create_task(display.run())
        try:
            yield display.update
        finally:
            display.close()
            # A call that has been made is waited for: it must not come after the end, and cover it.
            await asyncio.wait({task})

    async def paused(self, training: Training) -> None:
        """See `bot.training.records.Reports`."""
        _, name = self._words(training)
        with suppress(TelegramError):
            await self._edit(training, paused_text(_, name), None)

    async def tell(self, training: Training) -> None:
        """See `bot.training.records.Reports`."""
        try:
            await self._tell_end(training)
            if training.verdict:
                await self._send_verdict(training, training.verdict)
        except REFUSED as error:
            log.warning("Admin %d cannot be told how a training ended (%s)", training.order.admin, error)

    async def _show(self, training: Training, progress: Progress | None) -> float:
        """Show how far it is; returns for how many seconds Telegram wants to be left alone."""
        _, name = self._words(training)
        cancel = _button(training, "cancel", _("✖ Cancel"))
        try:
            await self._edit(training, progress_text(_, name, progress), cancel, only_where_there_is_room=True)
        except TelegramError as error:
            log.info("How far a training is cannot be shown for now (%s)", error)
            return seconds_asked(error)
        return 0.0

    async def _tell_end(self, training: Training) -> None:
        _, name = self._words(training)
        text = split(ending_text(_, name, training))[0]
        button = None if training.phase is Phase.DONE else _button(training, "resume", _("▶ Go on"))
        try:
            await _insist(lambda: self._edit(training, text, button))
        except BadRequest as error:
            log.info("How far a training was is not there any more (%s)", error)
            await _insist(lambda: self._send(training, text, button))

    async def _send_verdict(self, training: Training, verdict: Verdict) -> None:
        _, name = self._words(training)
        text = verdict_text(_, name, verdict, training.note)
        picture = await asyncio.to_thread(_content, verdict.picture)
        caption, *rest = split(text, MessageLimit.CAPTION_LENGTH)
        try:
            if picture:
                await _insist(partial(self._send_picture, training, picture, caption))
        except BadRequest as error:
            log.warning("The picture of a training is not accepted (%s)", error)
            picture = None
        for part in rest if picture else split(text):
            await _insist(partial(self._send, training, part))

    async def _edit(
        self,
        training: Training,
        text: str,
        button: InlineKeyboardMarkup | None,
        only_where_there_is_room: bool = False,
    ) -> None:
        order = training.order
        try:
            await self._bot.edit_message_text(
                text,
                order.admin,
                order.message,
                reply_markup=button,
                link_preview_options=NO_PREVIEW,
                rate_limit_args=WHERE_THERE_IS_ROOM if only_where_there_is_room else None,
            )
        except BadRequest as error:
            if "not modified" not in error.message.lower():
                raise

    async def _send(self, training: Training, text: str, button: InlineKeyboardMarkup | None = None) -> Message:
        admin = training.order.admin
        return await self._bot.send_message(admin, text, reply_markup=button, link_preview_options=NO_PREVIEW)

    async def _send_picture(self, training: Training, picture: bytes, caption: str) -> Message:
        return await self._bot.send_photo(training.order.admin, picture, caption, filename=PICTURE_NAME)

    def _words(self, training: Training) -> tuple[Translate, str]:
        order = training.order
        return self._locales.speak(order.language), self._roster.card(order.persona).name


def _button(training: Training, wish: str, label: str) -> InlineKeyboardMarkup:
    press = TrainingPress(wish, training.order.admin, str(training.number))
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=str(press))]])


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError as error:
        log.warning("The picture of a training cannot be read: %s", error)
        return None


async def _insist(work: Callable[[], Awaitable[T]]) -> T | None:
    """Do the work in spite of limits and failures of the network, however long they last.

    Raises what Telegram refuses for good. Work that was perhaps done already is left at that after some tries.
    """
    doubts, failures = 0, 0
    while True:
        try:
            return await work()
        except REFUSED:
            raise
        except TelegramError as error:
            doubts += perhaps_sent(error)
            if perhaps_sent(error) and is_enough(error, doubts):
                return None
            seconds = max(PAUSES[min(failures, len(PAUSES) - 1)], seconds_asked(error))
            failures += 1
            log.info("How a training ended cannot be told yet (%s); next attempt in %g s", error, seconds)
            await asyncio.sleep(seconds)

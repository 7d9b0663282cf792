"""/stats: admins see how much the bot is used, in figures and as a picture."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

from telegram import BotCommand, Message, Update
from telegram.ext import ContextTypes

from bot.handlers.backstage import Backstage
from bot.handlers.callbacks import Callback, Feature
from bot.locales import Translate
from bot.transport.delivery import Delivery
from bot.upkeep.charts import BLUE, GREEN, ORANGE, RED, Panel, Series, draw
from bot.upkeep.figures import Figures, Ledger, Opinions, Traffic

USUAL_DAYS, MOST_DAYS = 30, 366
DAYS_SHAPE = r"[0-9]{1,4}"
T = TypeVar("T")


def stats_menu(_: Translate) -> list[BotCommand]:
    """The command as Telegram lists it for admins, described in one language."""
    return [BotCommand("stats", _("How much I am used"))]


class Statistics(Feature):
    """The command. `clock` gives the present moment in UTC."""

    def __init__(self, backstage: Backstage, ledger: Ledger, delivery: Delivery, clock: Callable[[], datetime]) -> None:
        self._backstage = backstage
        self._ledger = ledger
        self._delivery = delivery
        self._clock = clock

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"stats": self._stats}

    async def _stats(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        _, message = await self._backstage.enter(update), update.effective_message
        if _ is None or message is None:
            return
        days = named_days(message)
        if days is None:
            await self._delivery.send(update, usage_text(_))
            return
        today = self._clock().date()
        figures = await self._ledger.figures(today - timedelta(days=days - 1), today)
        if figures.is_empty:
            await self._delivery.send(update, _("It has been quiet: nobody has written to me in these days."))
            return
        picture = await asyncio.to_thread(draw, figures.days, panels(_, figures))
        await self._delivery.carry_out(update, partial(message.reply_photo, picture, caption(_, figures)))


def named_days(message: Message) -> int | None:
    """How many days a command asks for; None if it does not say so in a way that can be understood."""
    words = (message.text or "").split()[1:]
    if not words:
        return USUAL_DAYS
    if len(words) > 1 or not re.fullmatch(DAYS_SHAPE, words[0]) or not 1 <= int(words[0]) <= MOST_DAYS:
        return None
    return int(words[0])


def usage_text(_: Translate) -> str:
    """How one says how many days are meant."""
    return _("How many days do you mean? Write a number from 1 to {most}, like this:\n/stats 7").format(most=MOST_DAYS)


def caption(_: Translate, figures: Figures) -> str:
    """The figures of all days together."""
    traffic, waits, opinions = figures.traffic, figures.waits, figures.opinions
    lines = [
        f"{figures.first} – {figures.last} (UTC)",
        _("Messages: {number}").format(number=traffic.messages),
        _("Active chats: {number}").format(number=traffic.chats),
        f"👍 {opinions.likes}   👎 {opinions.dislikes}",
    ]
    if waits is not None:
        text = _("Waiting for an answer: half of them up to {half} s, 95 of 100 up to {most} s")
        lines.insert(3, text.format(half=f"{waits.half:.1f}", most=f"{waits.most:.1f}"))
    return "\n".join(lines)


def panels(_: Translate, figures: Figures) -> list[Panel]:
    """The figures by day, as they are drawn; what was always nothing is left out."""
    traffic = _days(figures, figures.traffic_of, Traffic())
    opinions = _days(figures, figures.opinions_of, Opinions())
    waits = [figures.waits_of.get(day) for day in figures.days]
    found = [
        Panel(_("Messages a day"), [Series("", BLUE, [day.messages for day in traffic])]),
        Panel(_("Active chats a day"), [Series("", BLUE, [day.chats for day in traffic])]),
        Panel(
            _("Seconds until an answer"),
            [
                Series(_("half of them"), BLUE, [each.half if each else None for each in waits]),
                Series(_("95 of 100"), ORANGE, [each.most if each else None for each in waits]),
            ],
            is_lines=True,
            whole=False,
        ),
        Panel(
            _("Opinions a day"),
            [
                Series(_("likes"), GREEN, [day.likes for day in opinions]),
                Series(_("dislikes"), RED, [day.dislikes for day in opinions]),
            ],
        ),
    ]
    return [panel for panel in found if not panel.is_empty]


def _days(figures: Figures, found: Mapping[date, T], nothing: T) -> Sequence[T]:
    return [found.get(day, nothing) for day in figures.days]

"""/health: admins see at one glance how the bot is."""

from collections.abc import Sequence
from datetime import timedelta

from telegram import BotCommand, Update
from telegram.ext import ContextTypes

from bot import __version__
from bot.handlers.backstage import Backstage
from bot.handlers.callbacks import Callback, Feature
from bot.locales import Translate
from bot.transport.delivery import Delivery
from bot.upkeep.error_log import Mishap
from bot.upkeep.health import Health, Physician

FINE, LOOK = "✅", "⚠️"
MISHAPS_SHOWN = 3


def health_menu(_: Translate) -> list[BotCommand]:
    """The command as Telegram lists it for admins, described in one language."""
    return [BotCommand("health", _("How I am"))]


class Checkup(Feature):
    """The command."""

    def __init__(self, backstage: Backstage, physician: Physician, delivery: Delivery) -> None:
        self._backstage = backstage
        self._physician = physician
        self._delivery = delivery

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"health": self._health}

    async def _health(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if _ := await self._backstage.enter(update):
            await self._delivery.send(update, health_text(_, await self._physician.examine()))


def health_text(_: Translate, health: Health) -> str:
    """How the bot is: a line for each part, with a mark whether it is fine."""
    mail = health.mail
    uptime = _("Understudy {version}, running for {time}").format(version=__version__, time=_span(_, health.uptime))
    cast = _("On stage: {cast}").format(cast=_cast(health))
    waiting = max(0, mail.waiting - 1)  # The one that asks does not count.
    inbox = _("Messages: {waiting} without an answer yet, {answered} to be sent, {failed} failed")
    queue = _("Answers: {speaking} being made, {queued} in the queue")
    disk = _("Database: {size}; free on the disk: {free}")
    lines = [
        (True, uptime),
        (bool(health.loaded), cast),
        (health.is_mail_fine, inbox.format(waiting=waiting, answered=mail.answered, failed=mail.failed)),
        (health.is_queue_fine, queue.format(speaking=health.speaking, queued=health.queued)),
        (health.is_disk_fine, disk.format(size=_size(health.database_bytes), free=_size(health.free_bytes))),
    ]
    if health.memory_bytes is not None:
        lines.append((health.is_memory_fine, _("Memory: {size}").format(size=_size(health.memory_bytes))))
    lines.append((health.is_calm, _errors_text(_, health.mishaps)))
    return "\n".join(f"{FINE if is_fine else LOOK} {text}" for is_fine, text in lines)


def _errors_text(_: Translate, mishaps: Sequence[Mishap]) -> str:
    if not mishaps:
        return _("No errors since the start")
    shown = [f"{mishap.time:%Y-%m-%d %H:%M} UTC ({mishap.source})" for mishap in mishaps[:MISHAPS_SHOWN]]
    return _("Last errors: {list}").format(list=", ".join(shown))


def _cast(health: Health) -> str:
    return ", ".join(f"{persona} ({version})" for persona, version in health.loaded.items()) or "–"


def _span(_: Translate, time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60
    hours, days = minutes // 60, minutes // (24 * 60)
    if days:
        return _("{days} d {hours} h").format(days=days, hours=hours % 24)
    return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes % 60)


def _size(number: int) -> str:
    size, units = float(number), iter(("kB", "MB", "GB"))
    unit = "B"
    while size >= 1000 and (larger := next(units, None)):
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"

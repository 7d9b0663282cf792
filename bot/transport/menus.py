"""The command menus that Telegram shows: one for everybody, and one with more in it for each admin."""

import logging
from collections.abc import Collection

from telegram import Bot, BotCommand, BotCommandScopeChat
from telegram.error import TelegramError

from bot.handlers.bans import ban_menu
from bot.handlers.broadcasting import broadcast_menu
from bot.handlers.checkup import health_menu
from bot.handlers.commands import menu
from bot.handlers.figures import stats_menu
from bot.handlers.retrain import retrain_menu
from bot.handlers.reviewing import review_menu
from bot.handlers.versions_menu import versions_commands
from bot.locales import DEFAULT, LANGUAGES, Locales, Translate

log = logging.getLogger(__name__)


class Menus:
    """Announces the commands in every language."""

    def __init__(self, locales: Locales, admins: Collection[int]) -> None:
        self._locales = locales
        self._admins = admins

    async def announce(self, bot: Bot) -> None:
        """Tell Telegram the commands. What it does not take is logged, and no reason to stop."""
        try:
            for language in LANGUAGES:
                commands = menu(self._locales.speak(language))
                await bot.set_my_commands(commands, language_code=_code(language))
        except TelegramError as error:
            log.warning("The command menu could not be registered: %s", error)
        for admin in self._admins:
            await self._announce_to_admin(bot, admin)

    async def _announce_to_admin(self, bot: Bot, admin: int) -> None:
        scope = BotCommandScopeChat(admin)
        try:
            for language in LANGUAGES:
                _ = self._locales.speak(language)
                await bot.set_my_commands([*menu(_), *admin_menu(_)], scope, _code(language))
        except TelegramError as error:
            # Telegram knows no chat with an admin who has not written to the bot yet.
            log.warning("The command menu of admin %d could not be registered: %s", admin, error)


def admin_menu(_: Translate) -> list[BotCommand]:
    """What only admins have, described in one language."""
    menus = ban_menu, review_menu, stats_menu, broadcast_menu, health_menu, retrain_menu, versions_commands
    return [command for menu in menus for command in menu(_)]


def _code(language: str) -> str | None:
    return None if language == DEFAULT else language  # No code: for everyone else.

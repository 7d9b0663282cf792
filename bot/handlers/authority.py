"""Who may choose for a chat, and what the bot itself may do in a group."""

import logging

from telegram import Bot, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import TelegramError

from bot.locales import Translate

log = logging.getLogger(__name__)

ADMINS = (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)


async def may_choose(update: Update, bot: Bot) -> bool:
    """Whether whoever sent an update may choose for its chat: everybody in private, in a group its admins."""
    chat, sender = update.effective_chat, update.effective_sender
    if chat is None or sender is None:
        return False
    if chat.type == ChatType.PRIVATE or sender.id == chat.id:  # An anonymous admin speaks as the group.
        return True
    try:
        member = await bot.get_chat_member(chat.id, sender.id)
    except TelegramError as error:
        log.info("Update %d: Telegram does not tell whether this is an admin (%s)", update.update_id, error)
        return False
    return member.status in ADMINS


async def hears_all(bot: Bot, chat_id: int) -> bool:
    """Whether all messages of a group reach the bot: it is an admin there, or its privacy mode is off."""
    if bot.can_read_all_group_messages:
        return True
    try:
        return (await bot.get_chat_member(chat_id, bot.id)).status in ADMINS
    except TelegramError as error:
        log.info("Telegram does not tell whether the bot is an admin of chat %d (%s)", chat_id, error)
        return False


def only_admins_text(_: Translate) -> str:
    """That somebody may not choose."""
    return _("Only the admins of this group can choose that.")

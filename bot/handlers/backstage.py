"""Backstage: what is for admins alone, in their private chats. To everybody else it is as if it were not there."""

from telegram import Message, Update
from telegram.constants import ChatType

from bot.gate import Gate
from bot.locales import Locales, Translate
from bot.transport.addressing import command_of, language_of, person_of
from bot.transport.delivery import Delivery


class Backstage:
    """The door to it."""

    def __init__(self, gate: Gate, delivery: Delivery, locales: Locales) -> None:
        self._gate = gate
        self._delivery = delivery
        self._locales = locales

    async def enter(self, update: Update) -> Translate | None:
        """The language of an admin who is let in; None for all others, and in a group, where all could look on."""
        message, _ = update.effective_message, self._locales.speak(language_of(update))
        assert message is not None, "commands come in messages"
        if self.admin_of(update) is None:
            return None
        if message.chat.type == ChatType.PRIVATE:
            return _
        await self._delivery.send(update, _elsewhere(_, message))
        return None

    def admin_of(self, update: Update) -> int | None:
        """The id of the admin who sent an update; None for everybody else."""
        person = person_of(update)
        return person if person is not None and self._gate.is_admin(person) else None


def _elsewhere(_: Translate, message: Message) -> str:
    return _("Please send me /{command} in our private chat.").format(command=command_of(message))

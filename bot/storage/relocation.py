"""Relocation: everything on record of a group goes to the supergroup that it has become."""

from contextlib import suppress

from sqlalchemy import delete, null, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.storage.tables import Admission, Ban, Chat, ChatChoices, Message, MovedGroup, Opinion, Recipient
from bot.storage.transaction import Sessions, transaction


class Relocation:
    """Moves in the tables of the bot. A new table with the numbers of chats in it belongs here; a test names them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def move(self, old: int, new: int) -> None:
        """Move everything in one transaction; may be repeated. Raises StorageError.

        What the supergroup has already is joined: its own choices win, and what was said is one dialogue.
        """
        async with transaction(self._sessions) as session:
            await _note(session, old, new)
            for chat in (await session.scalars(select(Chat).where(Chat.chat_id == old))).all():
                await _move_dialogue(session, chat, new)
            for choices in (await session.scalars(select(ChatChoices).where(ChatChoices.chat_id == old))).all():
                await _move_choices(session, choices, new)
            await _move_ban(session, old, new)
            for recipient in (await session.scalars(select(Recipient).where(Recipient.chat_id == old))).all():
                await _move_recipient(session, recipient, new)
            await session.execute(update(Admission).where(Admission.chat_id == old).values(chat_id=new))
            # Who writes as the group does so under its number.
            await session.execute(update(Admission).where(Admission.sender_id == old).values(sender_id=new))


async def _note(session: AsyncSession, old: int, new: int) -> None:
    # First a change: Telegram tells of it twice at once, and from here on SQLite lets nobody else write.
    await session.execute(delete(MovedGroup).where(MovedGroup.id == new))
    with suppress(IntegrityError):  # Another process has noted it at this moment.
        async with session.begin_nested():
            session.add(MovedGroup(id=new, former_id=old))


async def _move_dialogue(session: AsyncSession, chat: Chat, new: int) -> None:
    await _forget_numbers(session, chat.id)
    there = await session.scalar(select(Chat).where(Chat.chat_id == new, Chat.thread_id == chat.thread_id))
    if there is None:
        chat.chat_id = new
        await session.flush()
        return
    await session.execute(update(Message).where(Message.chat == chat.id).values(chat=there.id))
    there.reset_after = max(there.reset_after, chat.reset_after)
    await session.delete(chat)
    await session.flush()


async def _forget_numbers(session: AsyncSession, chat: int) -> None:
    """Telegram's numbers of messages are those of the old group; in the new one they are those of other messages."""
    theirs = select(Message.id).where(Message.chat == chat)
    asked = update(Opinion).where(Opinion.message.in_(theirs)).values(asked_in=None, asked_at=None)
    await session.execute(asked.execution_options(synchronize_session=False))
    numbers = update(Message).where(Message.chat == chat).values(message=None, answered_in=null())
    await session.execute(numbers.execution_options(synchronize_session=False))


async def _move_choices(session: AsyncSession, choices: ChatChoices, new: int) -> None:
    if await session.get(ChatChoices, (new, choices.thread_id)):
        await session.delete(choices)
    else:
        choices.chat_id = new
    await session.flush()


async def _move_recipient(session: AsyncSession, recipient: Recipient, new: int) -> None:
    if await session.get(Recipient, (recipient.broadcast, new)):
        await session.delete(recipient)
    else:
        recipient.chat_id = new
    await session.flush()


async def _move_ban(session: AsyncSession, old: int, new: int) -> None:
    ban = await session.get(Ban, old)
    if ban is None:
        return
    if await session.get(Ban, new):
        await session.delete(ban)
    else:
        ban.id = new
    await session.flush()

"""The world that the bot talks to: people, chats and messages. Pure state; knows nothing of HTTP.

Messages are kept in the shape in which the Bot API shows them to a bot.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bot.offline.errors import ApiError, BadRequestError
from bot.offline.feed import Feed
from bot.offline.files import FileStore
from bot.offline.profile import BotProfile
from bot.offline.updates import UpdateQueue

Json = dict[str, Any]

EPOCH = 1_767_225_600  # 2026-01-01: what ids count from
ACTION_SECONDS = 5
HISTORY = 200
SUPERGROUPS = -1_000_000_000_000  # Their numbers are below this one.


@dataclass(slots=True)
class User:
    """A simulated person."""

    id: int
    first_name: str
    username: str = ""
    language_code: str = "en"

    def as_json(self) -> Json:
        shown = {"id": self.id, "is_bot": False, "first_name": self.first_name, "language_code": self.language_code}
        return shown | ({"username": self.username} if self.username else {})


@dataclass(slots=True)
class Chat:
    """A private chat of one person with the bot (the same id as the person's), or a group (a negative id)."""

    id: int
    title: str
    numbers: Iterator[int]
    username: str = ""
    members: list[int] = field(default_factory=list)
    messages: dict[int, Json] = field(default_factory=dict)
    actions: list[Json] = field(default_factory=list)
    drafts: list[Json] = field(default_factory=list)
    answers: list[Json] = field(default_factory=list)
    reactions: dict[int, list[Json]] = field(default_factory=dict)
    peoples_reactions: dict[int, dict[int, str]] = field(default_factory=dict)
    version: int = 0
    read_up_to: int = 0
    has_topics: bool = False
    bot_is_admin: bool = False
    moved_to: int = 0

    @property
    def is_private(self) -> bool:
        return self.id > 0

    @property
    def known_to_bot(self) -> bool:
        """A bot cannot write first: a person has to have written before."""
        return not self.is_private or bool(self.version)

    @property
    def kind(self) -> str:
        if self.is_private:
            return "private"
        return "supergroup" if self.id <= SUPERGROUPS or self.has_topics else "group"

    def as_json(self) -> Json:
        if self.is_private:
            shown: Json = {"id": self.id, "type": "private", "first_name": self.title}
            return shown | ({"username": self.username} if self.username else {})
        shown = {"id": self.id, "type": self.kind, "title": self.title}
        return shown | ({"is_forum": True} if self.has_topics else {})


@dataclass(slots=True)
class InlineQuery:
    """Somebody's question in inline mode: what the bot has offered (None: nothing yet), and what that would send."""

    user_id: int
    answer: Json | None = None
    messages: dict[str, Json] = field(default_factory=dict)


class World:
    """Everything there is, and every way in which it changes; each change is published in `feed`."""

    def __init__(self, bot: BotProfile) -> None:
        # Ids go on from the clock, so that a bot which remembers the ids of an earlier run never meets them again.
        self._first_id = int(time.time()) - EPOCH
        self._callback_ids = count(self._first_id)
        self._private_numbers = count(self._first_id)  # One series for all of a bot's private chats.
        self.bot = bot
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.callbacks: dict[str, Json] = {}
        self.inline_queries: dict[str, InlineQuery] = {}
        self.files = FileStore()
        self.feed = Feed()
        self.updates = UpdateQueue(self._first_id, self._mark_read, lambda: self.feed.publish({"type": "people"}))

    def person(self, user_id: int, **known: str) -> User:
        """The person of that id, made if needed; what is known of them (name, username, language) is kept."""
        user = self.users.get(user_id)
        changed = {name: value for name, value in known.items() if value}
        if user is None:
            user = self.users[user_id] = User(user_id, changed.get("first_name", f"User {user_id}"))
        elif all(getattr(user, name) == value for name, value in changed.items()):
            return user
        for name, value in changed.items():
            setattr(user, name, value)
        self._private_chat(user)
        self.feed.publish({"type": "people"})
        return user

    def _private_chat(self, user: User) -> None:
        chat = self.chats.setdefault(user.id, Chat(user.id, user.first_name, self._private_numbers, members=[user.id]))
        chat.title, chat.username = user.first_name, user.username

    def group(self, chat_id: int, title: str = "", members: tuple[int, ...] = ()) -> Chat:
        """The group of that id, made if needed, with these members among its own."""
        chat = self.chats.get(chat_id)
        if chat is None:
            chat = self.chats[chat_id] = Chat(chat_id, title or f"Group {-chat_id}", count(self._first_id))
        joined = [member for member in members if member not in chat.members]
        chat.members += joined
        if title:
            chat.title = title
        if title or joined:
            self.feed.publish({"type": "people"})
        return chat

    def chat(self, chat_id: int) -> Chat:
        """A chat that the bot may write to. Raises ApiError."""
        chat = self.chats.get(chat_id)
        if chat is None or not chat.known_to_bot:
            raise BadRequestError("chat not found")
        if chat.moved_to:
            moved = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, moved, {"migrate_to_chat_id": chat.moved_to})
        return chat

    def add_message(self, chat: Chat, sender: Json, content: Json) -> Json:
        """Stores a message and shows it. Returns it as the Bot API does."""
        number = next(chat.numbers)
        message = {
            "message_id": number,
            "from": sender,
            "chat": chat.as_json(),
            "date": int(time.time()),
            **content,
        }
        chat.messages[number] = message
        if sender["is_bot"]:
            self._clear_typing(chat)
        self.changed(chat, "message", message=message)
        return message

    def edit(self, chat: Chat, message: Json) -> None:
        """A person puts this message in the place of the one that it was."""
        message["edit_date"] = int(time.time())
        chat.messages[message["message_id"]] = message
        self.changed(chat, "edited", message=message)

    def changed(self, chat: Chat, kind: str, **what: Any) -> None:
        """Counts a change of a chat and tells it to the listeners."""
        chat.version += 1
        self.feed.publish({"type": kind, "chat_id": chat.id, "version": chat.version, **what})

    def remember_action(self, chat: Chat, action: str, thread: int) -> None:
        """Shows what the bot does (typing, ...) for five seconds or until its next message."""
        entry = {"action": action, "date": time.time(), "message_thread_id": thread or None}
        _append(chat.actions, entry)
        self.changed(chat, "action", action=action, seconds=ACTION_SECONDS, message_thread_id=thread or None)

    def remember_draft(self, chat: Chat, draft: Json) -> None:
        """Shows a message that the bot is still writing."""
        _append(chat.drafts, draft)
        self.changed(chat, "draft", draft=draft)

    def press(self, user: User, chat: Chat, message: Json, data: str) -> tuple[str, int]:
        """A person presses an inline button. Returns the ids of the callback query and of its update."""
        query_id = str(next(self._callback_ids))
        query = {
            "id": query_id,
            "from": user.as_json(),
            "message": message,
            "chat_instance": str(7919 * chat.id),
            "data": data,
        }
        self.callbacks[query_id] = {"chat_id": chat.id, "user_id": user.id}
        return query_id, self.updates.push("callback_query", query)

    def react(self, user: User, chat: Chat, message: Json, emoji: str) -> int | None:
        """A person reacts to a message, or takes the same reaction back. Returns the id of the update.

        The bot is not told of what happens in a group unless it is an admin there; then there is no update.
        """
        theirs = chat.peoples_reactions.setdefault(message["message_id"], {})
        before = theirs.pop(user.id, "")
        if emoji != before:
            theirs[user.id] = emoji
        self.changed(chat, "edited", message=message)
        if not (chat.is_private or chat.bot_is_admin):
            return None
        change = {
            "chat": chat.as_json(),
            "message_id": message["message_id"],
            "user": user.as_json(),
            "date": int(time.time()),
            "old_reaction": _reaction(before),
            "new_reaction": _reaction(theirs.get(user.id, "")),
        }
        return self.updates.push("message_reaction", change)

    def answer_callback(self, query_id: str, answer: Json) -> None:
        """What the presser sees. Raises BadRequestError for a query that is unknown or was answered before."""
        pressed = self.callbacks.pop(query_id, None)
        if pressed is None:
            raise BadRequestError("query is too old and response timeout expired or query ID is invalid")
        chat = self.chats[pressed["chat_id"]]
        entry = {"callback_query_id": query_id, "user_id": pressed["user_id"], **answer}
        _append(chat.answers, entry)
        self.changed(chat, "callback_answer", answer=entry)

    def _clear_typing(self, chat: Chat) -> None:
        self.feed.publish({"type": "action", "chat_id": chat.id, "version": chat.version, "action": ""})

    def _mark_read(self, update: Json) -> None:
        message = update.get("message")
        if message:
            chat = self.chats[message["chat"]["id"]]
            chat.read_up_to = max(chat.read_up_to, message["message_id"])
            self.feed.publish({"type": "read", "chat_id": chat.id, "message_id": chat.read_up_to})


def _reaction(emoji: str) -> list[Json]:
    return [{"type": "emoji", "emoji": emoji}] if emoji else []


def _append(history: list[Json], entry: Json) -> None:
    history.append(entry)
    del history[:-HISTORY]

"""The people's side over HTTP: what the page, and tests in its place, do as simulated persons."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.offline.arguments import Arguments, read_arguments
from bot.offline.botfather import reaches_bot
from bot.offline.entities import find_entities, utf16_length
from bot.offline.errors import ApiError, BadRequestError
from bot.offline.faults import KINDS, Fault, Faults
from bot.offline.files import read_picture
from bot.offline.markup import MAX_TEXT
from bot.offline.world import Chat, Json, User, World

LONGEST_WAIT = 60.0
HEARTBEAT_SECONDS = 15.0
SHOWN_AS = ("first_name", "username", "language_code")


class People:
    """Routes under `/people/`; bodies and answers are JSON, refusals are `{"error": one line}` with status 400."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/people/send", answered(self.send)),
            web.post("/people/edit", answered(self.edit)),
            web.post("/people/press", answered(self.press)),
            web.post("/people/react", answered(self.react)),
            web.post("/people/add", answered(self.add)),
            web.get("/people/messages", answered(self.messages)),
            web.get("/people/state", answered(self.state)),
            web.post("/people/faults", answered(self.add_fault)),
            web.get("/people/faults", answered(self.faults)),
            web.delete("/people/faults", answered(self.clear_faults)),
            web.get("/people/files/{file_id}", self.file),
            web.get("/people/events", self.events),
        ]

    async def send(self, request: web.Request) -> Json:
        """A person writes: makes the person and the chat if needed, stores the message, queues its update."""
        args = await read_arguments(request)
        user = self._world.person(
            _required(args.integer("user_id"), "user_id"), **{key: args.text(key) for key in SHOWN_AS}
        )
        chat = self._chat_of(user, args.integer("chat_id", user.id), args.text("title"))
        content = _spoken(args.text("text")) | _thread(chat, args.integer("message_thread_id"))
        reply = chat.messages.get(args.integer("reply_to"))
        if reply:
            content["reply_to_message"] = {key: value for key, value in reply.items() if key != "reply_to_message"}
        message = self._world.add_message(chat, user.as_json(), content)
        return {"message_id": message["message_id"], "update_id": self._tell_bot("message", chat, message)}

    async def edit(self, request: web.Request) -> Json:
        """A person changes the words of an earlier message."""
        args = await read_arguments(request)
        user = self._world.person(_required(args.integer("user_id"), "user_id"))
        chat = self._chat_of(user, args.integer("chat_id", user.id))
        message = chat.messages.get(args.integer("message_id"))
        if message is None or message["from"]["id"] != user.id or "text" not in message:
            raise BadRequestError("only one's own words can be edited")
        edited = {name: value for name, value in message.items() if name != "entities"} | _spoken(args.text("text"))
        self._world.edit(chat, edited)
        return {"update_id": self._tell_bot("edited_message", chat, edited)}

    async def press(self, request: web.Request) -> Json:
        """A person presses an inline button."""
        args = await read_arguments(request)
        user, chat, message = self._pointed_at(args)
        if args.text("data") not in _offered(message):
            raise BadRequestError("no button of this message carries that data")
        query_id, update_id = self._world.press(user, chat, message, args.text("data"))
        return {"callback_query_id": query_id, "update_id": update_id}

    async def react(self, request: web.Request) -> Json:
        """A person puts a reaction under a message; the same one once more takes it away."""
        args = await read_arguments(request)
        user, chat, message = self._pointed_at(args)
        emoji = _required(args.text("emoji"), "emoji")
        return {"update_id": self._world.react(user, chat, message, emoji)}

    async def add(self, request: web.Request) -> Json:
        """Makes a person (`first_name`) or a group (`title`, `members`, `bot_is_admin`)."""
        args = await read_arguments(request)
        if args.text("title"):
            chat_id = args.integer("chat_id") or min([0, *self._world.chats]) - 1
            group = self._world.group(chat_id, args.text("title"), self._members(args))
            group.bot_is_admin = group.bot_is_admin or args.flag("bot_is_admin")
            return {"chat_id": group.id}
        user_id = args.integer("user_id") or max([0, *self._world.users]) + 1
        known = {key: args.text(key) for key in SHOWN_AS}
        _required(known["first_name"].strip(), "first_name")
        return {"user_id": self._world.person(user_id, **known).id}

    async def messages(self, request: web.Request) -> Json:
        """A chat's messages with ids beyond `after`. With `wait` it answers as soon as there is one, or, given
        `since` (an earlier answer's `version`), as soon as anything changed, and at the latest after `wait` seconds."""
        args = await read_arguments(request)
        chat_id, after = args.integer("chat_id"), args.integer("after")
        since = args.integer("since", -1)
        deadline = time.monotonic() + min(args.seconds("wait"), LONGEST_WAIT)
        with self._world.feed.reader() as events:
            while not self._has_news(chat_id, after, since):
                left = deadline - time.monotonic()
                try:
                    if left <= 0 or await asyncio.wait_for(events.get(), left) is None:
                        break
                except TimeoutError:
                    break
        return self._shown(chat_id, after)

    async def state(self, request: web.Request) -> Json:
        """Everybody and everything but the messages; of these, the last of each chat."""
        bot = self._world.bot
        return {
            "polled": self._world.updates.is_polled,
            "awake": self._world.updates.was_asked_for,
            "bot": bot.as_json()
            | {"description": bot.text("description", ""), "short_description": bot.text("short_description", "")},
            "users": [user.as_json() for user in self._world.users.values()],
            "chats": [self._shown_chat(chat) for chat in self._world.chats.values()],
            "commands": [
                {"scope": scope, "language_code": language, "commands": commands}
                for (scope, language), commands in bot.commands.items()
            ],
            "faults": self._faults.as_json(),
        }

    async def add_fault(self, request: web.Request) -> Json:
        """From now on, or `after` some that go well, `count` calls of `method` fail in the given way."""
        args = await read_arguments(request)
        kind = args.text("kind")
        if kind not in KINDS:
            raise BadRequestError(f"kind must be one of {', '.join(sorted(KINDS))}")
        self._faults.add(
            Fault(
                method=args.text("method", "*"),
                kind=kind,
                count=args.integer("count", 1),
                retry_after=args.integer("retry_after", 1),
                seconds=args.seconds("seconds", 1),
                chat_id=args.integer("chat_id") if args.has("chat_id") else None,
                after=args.integer("after", 0),
            )
        )
        return {"faults": self._faults.as_json()}

    async def faults(self, request: web.Request) -> Json:
        """The faults that are still to happen."""
        return {"faults": self._faults.as_json()}

    async def clear_faults(self, request: web.Request) -> Json:
        """No more faults."""
        self._faults.clear()
        return {"faults": []}

    async def file(self, request: web.Request) -> web.Response:
        """A file's bytes; only pictures are shown in place."""
        try:
            stored = self._world.files.get(request.match_info["file_id"])
        except ApiError:
            raise web.HTTPNotFound from None
        data = stored.upload.data
        if stored.path.startswith("photos/"):
            return web.Response(body=data, content_type=read_picture(data).mime_type)
        attachment = {"Content-Disposition": "attachment"}
        return web.Response(body=data, headers=attachment, content_type="application/octet-stream")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: every change from now on, one JSON object each."""
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        with self._world.feed.reader() as events:
            await stream.prepare(request)
            await stream.write(b"retry: 500\n\n")
            while True:
                try:
                    event = await asyncio.wait_for(events.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    await stream.write(b": still here\n\n")
                    continue
                if event is None:
                    return stream
                if "message" in event:
                    event = event | {"message": shown_message(self._world.chats[event["chat_id"]], event["message"])}
                await stream.write(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _tell_bot(self, kind: str, chat: Chat, message: Json) -> int | None:
        """The number of the update; None if the bot does not get to see such a message."""
        return self._world.updates.push(kind, message) if reaches_bot(self._world.bot, chat, message) else None

    def _pointed_at(self, args: Arguments) -> tuple[User, Chat, Json]:
        """Who means which message of which chat."""
        user = self._world.person(_required(args.integer("user_id"), "user_id"))
        chat = self._chat_of(user, args.integer("chat_id", user.id))
        message = chat.messages.get(args.integer("message_id"))
        if message is None:
            raise BadRequestError("no such message in this chat")
        return user, chat, message

    def _chat_of(self, user: User, chat_id: int, title: str = "") -> Chat:
        if chat_id < 0:
            group = self._world.group(chat_id, title, (user.id,))
            if group.moved_to:
                raise BadRequestError(f"this group goes on as {group.moved_to}")
            return group
        if chat_id != user.id:
            raise BadRequestError("a person's private chat with the bot has the person's own id")
        return self._world.chats[chat_id]

    def _members(self, args: Arguments) -> tuple[int, ...]:
        members = args.json("members", list) or []
        for member in members:
            if type(member) is not int or member not in self._world.users:
                raise BadRequestError(f"{member!r} is not the user_id of anybody here")
        return tuple(members)

    def _has_news(self, chat_id: int, after: int, since: int) -> bool:
        chat = self._world.chats.get(chat_id)
        if chat is None:
            return False
        if since >= 0:
            return chat.version > since
        return next(reversed(chat.messages), 0) > after

    def _shown(self, chat_id: int, after: int) -> Json:
        chat = self._world.chats.get(chat_id)
        if chat is None:
            return {"messages": [], "actions": [], "drafts": [], "answers": [], "version": 0, "read_up_to": 0}
        return {
            "messages": [shown_message(chat, message) for key, message in chat.messages.items() if key > after],
            "actions": chat.actions,
            "drafts": chat.drafts,
            "answers": chat.answers,
            "version": chat.version,
            "read_up_to": chat.read_up_to,
        }

    def _shown_chat(self, chat: Chat) -> Json:
        last = shown_message(chat, next(reversed(chat.messages.values()))) if chat.messages else None
        commands = {
            user_id: self._world.bot.commands_for(user_id, chat.id, self._world.users[user_id].language_code)
            for user_id in chat.members
        }
        return {
            **chat.as_json(),
            "members": chat.members,
            "last_message": last,
            "commands": commands,
            "version": chat.version,
            "read_up_to": chat.read_up_to,
            "moved_to": chat.moved_to,
        }


def answered(handler: Callable[[web.Request], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The route for a handler that returns JSON."""

    async def route(request: web.Request) -> web.Response:
        try:
            return web.json_response(await handler(request))
        except ApiError as error:
            return web.json_response({"error": error.description}, status=error.code)

    return route


def shown_message(chat: Chat, message: Json) -> Json:
    """A message with the fields that tests and the page ask for most, at the top, and all reactions to it."""
    sender = message["from"]
    return message | {
        "reactions": [
            *(one.get("emoji", "") for one in chat.reactions.get(message["message_id"], [])),
            *chat.peoples_reactions.get(message["message_id"], {}).values(),
        ],
        "from_bot": sender["is_bot"],
        "user_id": sender["id"],
        "first_name": sender["first_name"],
        "text": message.get("text") or message.get("caption") or _notice(message),
    }


def _notice(message: Json) -> str:
    """What a message says that nobody has written."""
    return "This group is a supergroup now." if {"migrate_to_chat_id", "migrate_from_chat_id"} & message.keys() else ""


def _spoken(text: str) -> Json:
    text = text.strip()
    if not text:
        raise BadRequestError("text is empty")
    if utf16_length(text) > MAX_TEXT:
        raise BadRequestError(f"text is longer than {MAX_TEXT}; Telegram's apps cut such a text into several messages")
    entities = find_entities(text)
    return {"text": text} | ({"entities": entities} if entities else {})


def _thread(chat: Chat, thread: int) -> Json:
    if not thread:
        return {}
    chat.has_topics = not chat.is_private
    return {"message_thread_id": thread, "is_topic_message": True}


def _offered(message: Json) -> set[Any]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {button.get("callback_data") for row in rows for button in row}


def _required(value: Any, name: str) -> Any:
    if not value:
        raise BadRequestError(f"{name} is missing")
    return value

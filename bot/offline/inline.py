"""Inline mode: who types the bot's name and a question, in whatever chat, is offered answers to send there."""

import asyncio
import re
import time
from itertools import count
from typing import Any

from aiohttp import web

from bot.offline.arguments import Arguments, read_arguments
from bot.offline.botfather import reaches_bot
from bot.offline.errors import BadRequestError
from bot.offline.markup import message_text
from bot.offline.people import answered
from bot.offline.world import Chat, InlineQuery, Json, World

MAX_QUERY = 256
MAX_RESULTS = 50
LONGEST_WAIT = 60.0
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


class Inline:
    """Routes under `/people/`: typing a question, seeing what is offered, sending one of the offers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ids = count(int(time.time() * 1000))

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/people/inline", answered(self.ask)),
            web.get("/people/inline", answered(self.offers)),
            web.post("/people/choose", answered(self.choose)),
        ]

    async def ask(self, request: web.Request) -> Json:
        """A person types a `query` after the bot's name. Returns the numbers of the query and of its update."""
        args = await read_arguments(request)
        user = self._world.person(args.integer("user_id"))
        if not self._world.bot.is_inline:
            raise BadRequestError("this bot has no inline mode")
        query_id, text = str(next(self._ids)), args.text("query")[:MAX_QUERY]
        self._world.inline_queries[query_id] = InlineQuery(user.id)
        update = {"id": query_id, "from": user.as_json(), "query": text, "offset": "", "chat_type": "sender"}
        return {"inline_query_id": query_id, "update_id": self._world.updates.push("inline_query", update)}

    async def offers(self, request: web.Request) -> Json:
        """What was offered for a query, as soon as something is; null if that takes longer than `wait` seconds."""
        args = await read_arguments(request)
        query = self._query(args)
        deadline = time.monotonic() + min(args.seconds("wait"), LONGEST_WAIT)
        with self._world.feed.reader() as events:
            while query.answer is None and (left := deadline - time.monotonic()) > 0:
                try:
                    await asyncio.wait_for(events.get(), left)
                except TimeoutError:
                    break
        return {"answer": query.answer}

    async def choose(self, request: web.Request) -> Json:
        """The person sends what was offered under `result_id` to the chat `chat_id`."""
        args = await read_arguments(request)
        query = self._query(args)
        content = query.messages.get(args.text("result_id"))
        if content is None:
            raise BadRequestError("nothing of that number is offered")
        user = self._world.person(query.user_id)
        chat = self._chat(args.integer("chat_id", user.id))
        message = self._world.add_message(chat, user.as_json(), {**content, "via_bot": self._world.bot.as_json()})
        if reaches_bot(self._world.bot, chat, message):
            self._world.updates.push("message", message)
        return {"message_id": message["message_id"]}

    def _query(self, args: Arguments) -> InlineQuery:
        query = self._world.inline_queries.get(args.text("inline_query_id"))
        if query is None:
            raise BadRequestError("nobody has asked that")
        return query

    def _chat(self, chat_id: int) -> Chat:
        chat = self._world.chats.get(chat_id)
        if chat is None or chat.moved_to:
            raise BadRequestError("there is no such chat")
        return chat


async def answer_inline_query(world: World, args: Arguments) -> bool:
    query = world.inline_queries.get(args.text("inline_query_id"))
    if query is None or query.answer is not None:
        raise BadRequestError(TOO_OLD)
    results: list[Any] = args.json("results", list) or []
    if len(results) > MAX_RESULTS:
        raise BadRequestError("RESULTS_TOO_MUCH")
    messages = {str(result.get("id", "")): _message(result) for result in map(_checked, results)}
    if len(messages) < len(results):
        raise BadRequestError("RESULT_ID_DUPLICATE")
    query.messages = messages
    query.answer = {
        "results": results,
        "button": _checked_button(args.json("button", dict)),
        "cache_time": args.integer("cache_time", 300),
        "is_personal": args.flag("is_personal"),
    }
    about = {"inline_query_id": args.text("inline_query_id"), "user_id": query.user_id}
    world.feed.publish({"type": "inline_answer", **about, **query.answer})
    return True


def _checked(result: Any) -> Json:
    if not isinstance(result, dict) or result.get("type") != "article":
        raise BadRequestError("can't parse inline query result: the offline Telegram shows articles only")
    if not 1 <= len(str(result.get("id", "")).encode()) <= 64:
        raise BadRequestError("RESULT_ID_INVALID")
    if not str(result.get("title", "")).strip():
        raise BadRequestError("ARTICLE_TITLE_EMPTY")
    return result


def _message(result: Json) -> Json:
    """What a message holds that is sent by choosing a result."""
    content = result.get("input_message_content")
    if not isinstance(content, dict) or "message_text" not in content:
        raise BadRequestError("can't parse inline query result: there is no text to send")
    text, entities = message_text(Arguments({**content, "text": content["message_text"]}), "MESSAGE_TOO_LONG")
    return {"text": text} | ({"entities": entities} if entities else {})


def _checked_button(button: Json | None) -> Json | None:
    if button and not str(button.get("text", "")).strip():
        raise BadRequestError("BUTTON_TEXT_EMPTY")
    if button and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(button.get("start_parameter", ""))):
        raise BadRequestError("START_PARAM_INVALID")
    return button

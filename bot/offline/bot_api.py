"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.offline import editing, identity, inline, membership, sending
from bot.offline.arguments import Arguments, read_arguments
from bot.offline.delivery import UpdateDelivery
from bot.offline.errors import ApiError
from bot.offline.faults import DroppedConnectionError, Faults
from bot.offline.world import World

Method = Callable[[World, Arguments], Awaitable[Any]]
log = logging.getLogger(__name__)


class BotApi:
    """Finds the method, lets faults interfere, and answers in Telegram's shape."""

    def __init__(self, world: World, faults: Faults, delivery: UpdateDelivery) -> None:
        self._world = world
        self._faults = faults
        self._methods = {method.__name__.replace("_", ""): method for method in _methods(delivery)}

    def routes(self) -> list[web.RouteDef]:
        path = "/bot{token:[^/]+}/{method}"
        return [
            web.route("GET", path, self.call),
            web.route("POST", path, self.call),
            web.get("/file/bot{token:[^/]+}/{path:.+}", self.download),
        ]

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Carries out one call."""
        try:
            self._check_token(request)
            result = await self._result(request.match_info["method"], await read_arguments(request))
        except ApiError as error:
            return web.json_response(error.as_json(), status=error.code)
        except DroppedConnectionError:
            return dropped(request)
        except Exception:
            log.exception("the offline Telegram failed in %s", request.match_info["method"])
            return web.json_response(ApiError(500, "Internal Server Error").as_json(), status=500)
        return web.json_response({"ok": True, "result": result})

    async def download(self, request: web.Request) -> web.Response:
        """The bytes of a file that getFile has named."""
        try:
            self._check_token(request)
        except ApiError as error:
            return web.json_response(error.as_json(), status=error.code)
        stored = self._world.files.at(request.match_info["path"])
        if stored is None:
            return web.json_response(ApiError(404, "Not Found").as_json(), status=404)
        return web.Response(body=stored.upload.data, content_type="application/octet-stream")

    def _check_token(self, request: web.Request) -> None:
        token = request.match_info["token"]
        if not re.fullmatch(r"\d+:[\w-]+", token):
            raise ApiError(404, "Not Found")
        if token != self._world.bot.token:
            raise ApiError(401, "Unauthorized")

    async def _result(self, name: str, args: Arguments) -> Any:
        method = self._methods.get(name.lower())
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        return await self._faults.around(name, args.text("chat_id"), lambda: method(self._world, args))


def _methods(delivery: UpdateDelivery) -> list[Method]:
    """Every method there is; Telegram's name is that of the function without underscores, in any case."""
    return [
        delivery.get_updates,
        delivery.set_webhook,
        delivery.delete_webhook,
        delivery.get_webhook_info,
        identity.get_me,
        identity.set_my_commands,
        identity.get_my_commands,
        identity.delete_my_commands,
        identity.set_my_name,
        identity.get_my_name,
        identity.set_my_description,
        identity.get_my_description,
        identity.set_my_short_description,
        identity.get_my_short_description,
        sending.send_message,
        sending.send_photo,
        sending.send_document,
        sending.send_message_draft,
        sending.send_chat_action,
        sending.get_file,
        editing.edit_message_text,
        editing.edit_message_caption,
        editing.edit_message_reply_markup,
        editing.delete_message,
        editing.delete_messages,
        editing.set_message_reaction,
        editing.answer_callback_query,
        inline.answer_inline_query,
        membership.get_chat,
        membership.get_chat_member,
        membership.get_chat_administrators,
        membership.get_chat_member_count,
    ]


def dropped(request: web.Request) -> web.StreamResponse:
    """Cuts the connection; what is returned here reaches nobody."""
    if request.transport:
        request.transport.abort()
    return web.Response()

"""What is set at BotFather: which messages of groups reach the bot, and whether it has an inline mode."""

from aiohttp import web

from bot.offline.arguments import read_arguments
from bot.offline.entities import utf16_slice
from bot.offline.profile import BotProfile
from bot.offline.world import Chat, Json, World


class BotFather:
    """The route under `/people/` by which a bot's owner changes the bot."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/people/botfather", self.set)]

    async def set(self, request: web.Request) -> web.Response:
        """Turns `privacy` mode (in groups the bot sees only what is meant for it) and `inline` mode on or off."""
        args = await read_arguments(request)
        bot = self._world.bot
        bot.has_privacy = args.flag("privacy") if args.has("privacy") else bot.has_privacy
        bot.is_inline = args.flag("inline") if args.has("inline") else bot.is_inline
        return web.json_response({"privacy": bot.has_privacy, "inline": bot.is_inline})


def reaches_bot(bot: BotProfile, chat: Chat, message: Json) -> bool:
    """Whether the bot is told of a message. Admins of a group are told of all."""
    if chat.is_private or chat.bot_is_admin or not bot.has_privacy:
        return True
    original, via = message.get("reply_to_message", {}), message.get("via_bot", {})
    if bot.id in (original.get("from", {}).get("id"), via.get("id")):
        return True
    return any(_calls(bot, message["text"], entity) for entity in message.get("entities", []))


def _calls(bot: BotProfile, text: str, entity: Json) -> bool:
    words = utf16_slice(text, entity["offset"], entity["length"]).lower()
    if entity["type"] == "mention":
        return words == f"@{bot.username}".lower()
    return entity["type"] == "bot_command" and words.partition("@")[2] in ("", bot.username.lower())

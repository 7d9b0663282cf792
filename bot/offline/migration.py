"""How a group becomes a supergroup: it goes on under another number, and under the old one nothing more is taken."""

from aiohttp import web

from bot.offline.arguments import read_arguments
from bot.offline.errors import BadRequestError
from bot.offline.people import answered
from bot.offline.world import SUPERGROUPS, Chat, Json, World


class Migration:
    """The route under `/people/` by which a group is made a supergroup."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/people/migrate", answered(self.migrate))]

    async def migrate(self, request: web.Request) -> Json:
        """Makes the group `chat_id` a supergroup; answers with its new number."""
        chat = self._world.chats.get((await read_arguments(request)).integer("chat_id"))
        if chat is None or chat.kind != "group" or chat.moved_to:
            raise BadRequestError("only a group can become a supergroup")
        return {"chat_id": migrate(self._world, chat).id}


def migrate(world: World, chat: Chat) -> Chat:
    """The supergroup that a group becomes. Both tell of it by a message that nobody has written."""
    moved = world.group(SUPERGROUPS + chat.id, chat.title, tuple(chat.members))
    moved.bot_is_admin = chat.bot_is_admin
    _tell(world, chat, {"migrate_to_chat_id": moved.id})
    chat.moved_to = moved.id
    _tell(world, moved, {"migrate_from_chat_id": chat.id})
    world.feed.publish({"type": "people"})
    return moved


def _tell(world: World, chat: Chat, content: Json) -> None:
    owner = world.users[chat.members[0]].as_json()
    world.updates.push("message", world.add_message(chat, owner, content))

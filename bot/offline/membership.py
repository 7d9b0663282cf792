"""Bot API methods about chats and who is in them."""

from bot.offline.arguments import Arguments
from bot.offline.checks import target_chat
from bot.offline.errors import BadRequestError
from bot.offline.world import Chat, Json, World

GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")

RIGHTS = (
    "can_be_edited",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


async def get_chat(world: World, args: Arguments) -> Json:
    chat = target_chat(world, args)
    return chat.as_json() | {
        "accent_color_id": abs(chat.id) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(GIFTS, False),
    }


async def get_chat_member(world: World, args: Arguments) -> Json:
    chat, user_id = target_chat(world, args), args.integer("user_id")
    if user_id != world.bot.id and user_id not in chat.members:
        raise BadRequestError("PARTICIPANT_ID_INVALID" if user_id in world.users else "member not found")
    return _member(world, chat, user_id)


async def get_chat_administrators(world: World, args: Arguments) -> list[Json]:
    chat = target_chat(world, args)
    if chat.is_private:
        raise BadRequestError("there are no administrators in the private chat")
    return [_member(world, chat, user_id) for user_id in chat.members[:1]]


async def get_chat_member_count(world: World, args: Arguments) -> int:
    return len(target_chat(world, args).members) + 1


def _member(world: World, chat: Chat, user_id: int) -> Json:
    """Who opened a group owns it."""
    if user_id == world.bot.id and chat.bot_is_admin:
        rights = dict.fromkeys(RIGHTS, False) | {"can_manage_chat": True}
        return {"user": world.bot.as_json(), "status": "administrator", "is_anonymous": False, **rights}
    if user_id == world.bot.id:
        return {"user": world.bot.as_json(), "status": "member"}
    shown = {"user": world.users[user_id].as_json()}
    if not chat.is_private and user_id == chat.members[0]:
        return {**shown, "status": "creator", "is_anonymous": False}
    return {**shown, "status": "member"}

"""Bot API methods about the bot itself: who it is, its texts and its commands."""

from collections.abc import Mapping
from typing import Any

from bot.offline.arguments import Arguments
from bot.offline.errors import BadRequestError
from bot.offline.profile import checked_commands, scope_key
from bot.offline.world import Json, World

MAX_LENGTH: Mapping[str, int] = {"name": 64, "description": 512, "short_description": 120}


async def get_me(world: World, args: Arguments) -> Json:
    return world.bot.as_json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": not world.bot.has_privacy,
        "supports_inline_queries": world.bot.is_inline,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
    }


async def set_my_commands(world: World, args: Arguments) -> bool:
    world.bot.commands[scope_key(args), args.text("language_code")] = checked_commands(args)
    world.feed.publish({"type": "commands"})
    return True


async def get_my_commands(world: World, args: Arguments) -> list[dict[str, str]]:
    return world.bot.commands.get((scope_key(args), args.text("language_code")), [])


async def delete_my_commands(world: World, args: Arguments) -> bool:
    world.bot.commands.pop((scope_key(args), args.text("language_code")), None)
    world.feed.publish({"type": "commands"})
    return True


async def set_my_name(world: World, args: Arguments) -> bool:
    return _set_text(world, args, "name")


async def set_my_description(world: World, args: Arguments) -> bool:
    return _set_text(world, args, "description")


async def set_my_short_description(world: World, args: Arguments) -> bool:
    return _set_text(world, args, "short_description")


async def get_my_name(world: World, args: Arguments) -> dict[str, Any]:
    return {"name": world.bot.text("name", args.text("language_code"))}


async def get_my_description(world: World, args: Arguments) -> dict[str, Any]:
    return {"description": world.bot.text("description", args.text("language_code"))}


async def get_my_short_description(world: World, args: Arguments) -> dict[str, Any]:
    return {"short_description": world.bot.text("short_description", args.text("language_code"))}


def _set_text(world: World, args: Arguments, kind: str) -> bool:
    text = args.text(kind)
    if len(text) > MAX_LENGTH[kind]:
        raise BadRequestError(f"bot {kind.replace('_', ' ')} is too long")
    world.bot.texts[kind, args.text("language_code")] = text
    world.feed.publish({"type": "people"})
    return True

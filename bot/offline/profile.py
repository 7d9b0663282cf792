"""The bot as people see it: its name, descriptions and commands."""

import re
from dataclasses import dataclass, field
from typing import Any

from bot.offline.arguments import Arguments
from bot.offline.errors import BadRequestError

MAX_COMMANDS = 100


@dataclass(slots=True)
class BotProfile:
    """Who the bot is. Texts are kept per language code, commands per scope and language code.

    With privacy it is told of what is meant for it only, of all that is said in groups.
    """

    token: str
    name: str
    username: str
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    commands: dict[tuple[str, str], list[dict[str, str]]] = field(default_factory=dict)
    has_privacy: bool = False
    is_inline: bool = True

    @property
    def id(self) -> int:
        return int(self.token.partition(":")[0])

    def as_json(self) -> dict[str, Any]:
        """The bot as the sender of a message."""
        return {"id": self.id, "is_bot": True, "first_name": self.name, "username": self.username}

    def text(self, kind: str, language: str) -> str:
        """The `name`, `description` or `short_description` for a language, or the one for all."""
        fallback = self.name if kind == "name" else ""
        return self.texts.get((kind, language)) or self.texts.get((kind, "")) or fallback

    def commands_for(self, user_id: int, chat_id: int, language: str) -> list[dict[str, str]]:
        """The commands that one person sees in one chat: the narrowest scope wins, then the language."""
        wide = ["all_private_chats"] if chat_id > 0 else ["all_group_chats"]
        scopes = [f"chat_member:{chat_id}:{user_id}", f"chat:{chat_id}", *wide, "default"]
        for scope in scopes:
            for code in (language, ""):
                if (scope, code) in self.commands:
                    return self.commands[scope, code]
        return []


def scope_key(args: Arguments) -> str:
    """The scope of a commands call as one string, such as "default" or "chat:5"."""
    scope = args.json("scope", dict) or {"type": "default"}
    kind = str(scope.get("type", ""))
    if kind in {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}:
        return kind
    if kind in {"chat", "chat_administrators"} and "chat_id" in scope:
        return f"{kind}:{scope['chat_id']}"
    if kind == "chat_member" and {"chat_id", "user_id"} <= scope.keys():
        return f"{kind}:{scope['chat_id']}:{scope['user_id']}"
    raise BadRequestError("can't parse BotCommandScope: unsupported type specified")


def checked_commands(args: Arguments) -> list[dict[str, str]]:
    """The list of commands of a call. Raises BadRequestError for names and descriptions that Telegram refuses."""
    commands: list[Any] = args.json("commands", list) or []
    if len(commands) > MAX_COMMANDS:
        raise BadRequestError("BOT_COMMANDS_TOO_MUCH")
    return [_checked_command(command) for command in commands]


def _checked_command(command: Any) -> dict[str, str]:
    if not isinstance(command, dict):
        raise BadRequestError("can't parse BotCommand: expected an Object")
    name = str(command.get("command", "")).strip().removeprefix("/")
    description = str(command.get("description", "")).strip()
    if not re.fullmatch(r"[a-z0-9_]{1,32}", name):
        raise BadRequestError("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= 256:
        raise BadRequestError("BOT_COMMAND_DESCRIPTION_INVALID" if description else "command description is empty")
    return {"command": name, "description": description}

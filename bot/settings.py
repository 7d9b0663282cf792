"""Settings: the only reader of the environment and of `.env`.

The environment wins over the file, the file over the default.
"""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import SettingsError

TOKEN_SHAPE = r"[0-9]+:[A-Za-z0-9_-]+"
ID_SHAPE = r"-?[0-9]{1,16}"
PERSONA_SHAPE = r"[a-z0-9][a-z0-9_-]{0,63}"
WEBHOOK_SECRET_SHAPE = r"[A-Za-z0-9_-]{16,256}"  # Telegram allows a shorter one, which could be guessed.
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")

Ids = Annotated[frozenset[int], NoDecode]
Names = Annotated[frozenset[str], NoDecode]


class Settings(BaseSettings):
    """Everything that can be set. A key is a field's name in capitals; `.env.example` explains each one."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    telegram_bot_token: SecretStr | None = None
    telegram_base_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+(/.*)?$")
    telegram_messages_per_second: float = Field(default=30, ge=0)
    proxy_url: SecretStr | None = None
    webhook_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+(/\S*)?$")
    webhook_secret: SecretStr | None = Field(default=None, validate_default=True)
    webhook_listen: str = Field(default="127.0.0.1", min_length=1)
    webhook_port: int = Field(default=8443, ge=0, le=65535)
    persona: str = Field(default="lisa", min_length=1)
    personas: Names = frozenset()
    personas_in_memory: int = Field(default=2, ge=1)
    model_store: Path = Path("var/models")
    script: Path | None = None
    engine: str = Field(default="openvino", min_length=1)
    temperature: float | None = Field(default=None, ge=0, le=5)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    repetition_penalty: float | None = Field(default=None, gt=0)
    max_new_tokens: int | None = Field(default=None, ge=1)
    content_filter: bool = True
    streaming: bool = True
    context_messages: int = Field(default=6, ge=0, le=100)
    max_concurrent_replies: int = Field(default=16, ge=1)
    database_url: SecretStr = SecretStr("sqlite+aiosqlite:///var/understudy.db")
    retention_days: int = Field(default=0, ge=0, le=36_500)
    admin_ids: Ids = frozenset()
    allowed_user_ids: Ids = frozenset()
    allowed_chat_ids: Ids = frozenset()
    user_messages_per_minute: int = Field(default=0, ge=0)
    user_messages_per_day: int = Field(default=0, ge=0)
    group_messages_per_minute: int = Field(default=0, ge=0)
    group_messages_per_day: int = Field(default=0, ge=0)
    metrics_port: int = Field(default=0, ge=0, le=65535)
    metrics_listen: str = Field(default="127.0.0.1", min_length=1)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    offline_port: int = Field(default=8090, ge=0, le=65535)
    shutdown_grace: float = Field(default=10, ge=0)

    @field_validator("telegram_bot_token")
    @classmethod
    def _shaped_like_a_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is None:
            return None
        bare = token.get_secret_value().strip()
        if not re.fullmatch(TOKEN_SHAPE, bare):
            raise ValueError("this is not a token; BotFather's look like 123456:ABC-def")
        return SecretStr(bare)

    @field_validator("proxy_url")
    @classmethod
    def _shaped_like_a_proxy(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not _is_proxy(url.get_secret_value()):
            raise ValueError(f"this is not a proxy's address; write SCHEME://HOST:PORT with {', '.join(PROXY_SCHEMES)}")
        return url

    @field_validator("webhook_url")
    @classmethod
    def _encrypted(cls, url: str | None, info: ValidationInfo) -> str | None:
        # A Bot API server of one's own takes plain http too.
        if url and url.startswith("http:") and not info.data.get("telegram_base_url"):
            raise ValueError("Telegram calls https addresses only")
        return url

    @field_validator("webhook_secret")
    @classmethod
    def _secret_where_needed(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret is None and info.data.get("webhook_url"):
            raise ValueError("WEBHOOK_URL needs it, so that nobody but Telegram can send updates")
        if secret is not None and not re.fullmatch(WEBHOOK_SECRET_SHAPE, secret.get_secret_value()):
            raise ValueError("write 16 to 256 letters, digits, _ and -")
        return secret

    @field_validator("admin_ids", "allowed_user_ids", "allowed_chat_ids", mode="before")
    @classmethod
    def _split_ids(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        for part in parts:
            if not re.fullmatch(ID_SHAPE, part):
                raise ValueError(f"{part!r} is not a numeric Telegram id; write ids with commas between them")
        return frozenset(int(part) for part in parts)

    @field_validator("admin_ids", "allowed_user_ids")
    @classmethod
    def _ids_of_people(cls, ids: frozenset[int]) -> frozenset[int]:
        for wrong in sorted(each for each in ids if each <= 0):
            raise ValueError(f"{wrong} is not a person; the ids of people are above 0")
        return ids

    @field_validator("allowed_chat_ids")
    @classmethod
    def _ids_of_groups(cls, ids: frozenset[int]) -> frozenset[int]:
        for wrong in sorted(each for each in ids if each >= 0):
            raise ValueError(f"{wrong} is not a group; the ids of groups are below 0, such as -1001234567890")
        return ids

    @field_validator("personas", mode="before")
    @classmethod
    def _split_personas(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        for part in parts:
            if not re.fullmatch(PERSONA_SHAPE, part):
                raise ValueError(f"{part!r} is not the name of a persona; write names with commas between them")
        return frozenset(parts)

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    def sampling(self) -> dict[str, Any]:
        """The sampling settings that are set; what is absent stays the persona's own."""
        names = ("temperature", "top_p", "top_k", "repetition_penalty", "max_new_tokens")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def secrets(self) -> list[str]:
        """What no log may show: the token, the webhook's secret, the proxy's address and the password in it."""
        fields = (self.telegram_bot_token, self.webhook_secret, self.proxy_url)
        secrets = [field.get_secret_value() for field in fields if field is not None]
        password = urlsplit(self.proxy_url.get_secret_value()).password if self.proxy_url else None
        return [*secrets, password, unquote(password)] if password else secrets


def load_settings(**replacements: Any) -> Settings:
    """Read the settings: the environment, then `.env` in the current folder. `replacements` win over both.

    Raises SettingsError with one line that names the first wrong key, and never its value: it may be a secret.
    """
    try:
        return Settings(**replacements)
    except ValidationError as error:
        raise SettingsError(next(_lines(error))) from None
    except UnicodeDecodeError:
        raise SettingsError(".env is not UTF-8 text") from None


def token_of(settings: Settings) -> str:
    """The bot's token. Raises SettingsError where there is none."""
    if settings.telegram_bot_token is None:
        raise SettingsError(
            "TELEGRAM_BOT_TOKEN is not set: put the token that BotFather gave you in .env, "
            "or try `python -m bot offline`, which needs none"
        )
    return settings.telegram_bot_token.get_secret_value()


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        complete = bool(parts.hostname) and parts.port != 0  # Reading the port checks it.
    except ValueError:
        return False
    return complete and parts.scheme in PROXY_SCHEMES and not re.search(r"\s", url)


def _lines(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_url=False):
        key = str(problem["loc"][0]).upper()
        if problem["type"] == "extra_forbidden":
            yield f"{key} in .env is not a setting{_suggestion(key)}"
        else:
            yield f"{key}: {problem['msg'].removeprefix('Value error, ')}"


def _suggestion(key: str) -> str:
    near = difflib.get_close_matches(key, [name.upper() for name in Settings.model_fields], n=1)
    return f"; did you mean {near[0]}?" if near else ""

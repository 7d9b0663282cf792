"""The arguments of one Bot API call, however they were sent: query, JSON, form or multipart."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from aiohttp import web

from bot.offline.errors import ApiError, BadRequestError


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a multipart request."""

    name: str
    mime_type: str
    data: bytes


class Arguments:
    """Typed access to a call's arguments; what cannot be read is refused as Telegram does."""

    def __init__(self, values: Mapping[str, Any], uploads: Mapping[str, Upload] | None = None) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}
        self._uploads = dict(uploads or {})

    def has(self, name: str) -> bool:
        return name in self._values or name in self._uploads

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        value = self._values.get(name, default)
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError):
            raise BadRequestError(f'invalid parameter "{name}": an integer is expected') from None

    def seconds(self, name: str, default: float = 0) -> float:
        value = self._values.get(name, default)
        try:
            seconds = float(value)
        except (TypeError, ValueError, OverflowError):
            seconds = -1
        if not 0 <= seconds < math.inf:
            raise BadRequestError(f'invalid parameter "{name}": a number of seconds is expected')
        return seconds

    def flag(self, name: str) -> bool:
        return str(self._values.get(name, "")).lower() in {"true", "yes", "1"}

    def json(self, name: str, kind: type[list[Any]] | type[dict[str, Any]]) -> Any:
        """The object or array of that name, or None; forms carry it as a string."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        with refused_as(f"can't parse {name} JSON object"):
            value = json.loads(value) if isinstance(value, str) else value
        if not isinstance(value, kind):
            raise BadRequestError(f"{'object' if kind is dict else 'array'} expected as {name.replace('_', ' ')}")
        return value

    def upload(self, name: str) -> Upload | None:
        """The file sent under this name, or the one that an `attach://` value points at."""
        value = str(self._values.get(name, ""))
        return self._uploads.get(value.removeprefix("attach://") if value.startswith("attach://") else name)


@contextmanager
def refused_as(description: str) -> Iterator[None]:
    """Turns what Python cannot parse into Telegram's refusal."""
    try:
        yield
    except ValueError:
        raise BadRequestError(description) from None


async def read_arguments(request: web.Request) -> Arguments:
    """All arguments of a request; those of the body win over those of the address."""
    values: dict[str, Any] = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        values |= await _json_body(request)
    elif request.can_read_body:
        for name, field in (await _form(request)).items():
            if isinstance(field, web.FileField):
                safe_name = PurePath(field.filename.replace("\\", "/")).name or "file"
                with field.file:
                    uploads[name] = Upload(safe_name, field.content_type, field.file.read())
            else:
                values[name] = field
    return Arguments(values, uploads)


async def _json_body(request: web.Request) -> dict[str, Any]:
    with refused_as("can't parse JSON object"):
        body = json.loads(await request.text() or "{}")
    if not isinstance(body, dict):
        raise BadRequestError("JSON object expected")
    return body


async def _form(request: web.Request) -> Mapping[str, Any]:
    try:
        return await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(413, "Request Entity Too Large") from None
    except ValueError:
        raise BadRequestError("can't parse the request's form") from None

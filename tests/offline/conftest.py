"""A running offline Telegram, and what drives it."""

import struct
import zlib
from collections.abc import AsyncIterator

import pytest

from bot.offline import OfflineTelegram
from tests.offline.caller import Caller, calling, running


@pytest.fixture
async def server() -> AsyncIterator[OfflineTelegram]:
    async with running() as telegram:
        yield telegram


@pytest.fixture
async def caller(server: OfflineTelegram) -> AsyncIterator[Caller]:
    async with calling(server) as caller:
        yield caller


@pytest.fixture
def picture() -> bytes:
    """A PNG of 160 by 100 pixels, blue to orange."""
    width, height = 160, 100
    row = b"\0" + b"".join(bytes((x, 120, 255 - x)) for x in range(width))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * height)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body

"""A text file as blocks of whole lines, in UTF-8 and ended by newlines, whatever encoding and line ends it has."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from data_prep.schema import ScriptError

_BLOCK = 8 << 20  # bytes
PIECE = 1 << 18  # bytes; enough for what is needed of the file's beginning
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class TextFile:
    """`stray` stands for a carriage return without a newline: it ended lines on old Macs, or strayed into a text."""

    path: Path
    encoding: str
    stray: bytes

    def blocks(self, size: int | None = None) -> Iterator[bytes]:
        """The lines in their order, many at a time, without the newline of a block's last line."""
        rest = b""
        for piece in self._unified(size or _BLOCK):
            whole, newline, after = piece.rpartition(b"\n")
            if newline:
                yield rest + whole
            rest = after if newline else rest + piece
        if rest:
            yield rest

    def _unified(self, size: int) -> Iterator[bytes]:
        held = b""
        for piece in self._utf8(size):
            text = held + piece
            held = b"\r" if text.endswith(b"\r") else b""
            if b"\r" in text:
                text = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", self.stray)
            yield text
        if held:
            yield self.stray

    def _utf8(self, size: int) -> Iterator[bytes]:
        pieces = _pieces(self.path, size)
        if self.encoding.startswith("utf-8"):
            for index, piece in enumerate(pieces):
                yield piece.removeprefix(codecs.BOM_UTF8) if index == 0 else piece
            return
        # Five bytes mean nothing in cp1252; they become U+FFFD, as browsers show them.
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        for piece in pieces:
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()


def open_text(path: Path) -> TextFile:
    """Reads the file once, to learn its encoding. Raises ScriptError for one that cannot be read."""
    start = next(_pieces(path, 4), b"")
    if start[:2] in _UTF16:
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        newline = any("\n" in decoder.decode(piece) for piece in _pieces(path, PIECE))
        return TextFile(path, "utf-16", _stray(newline))
    newline = any(b"\n" in piece for piece in _pieces(path, PIECE))
    name = "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else "utf-8"
    return TextFile(path, name if _is_utf8(path) else "cp1252", _stray(newline))


def _stray(newline: bool) -> bytes:
    return b" " if newline else b"\n"


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(path, PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    with _opened(path) as file:
        while piece := file.read(size):
            yield piece


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            yield cast(IO[bytes], file)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "a damaged gzip file"
        raise ScriptError(f"{path}: cannot be read: {reason}") from error

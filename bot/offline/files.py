"""Files that were sent: kept in memory, under the ids and paths that the Bot API shows."""

import struct
from dataclasses import dataclass
from typing import Any

from bot.offline.arguments import Upload
from bot.offline.errors import BadRequestError

JPEG_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file; `path` is what getFile shows and the download address ends with."""

    file_id: str
    path: str
    upload: Upload

    def as_json(self) -> dict[str, Any]:
        unique = f"U{self.file_id}"
        return {"file_id": self.file_id, "file_unique_id": unique, "file_size": len(self.upload.data)}


class FileStore:
    """All files of one world."""

    def __init__(self) -> None:
        self._by_id: dict[str, StoredFile] = {}

    def add(self, folder: str, upload: Upload) -> StoredFile:
        """Keeps a file under `folder`, which is "photos" or "documents"."""
        number = len(self._by_id)
        suffix = upload.name.rpartition(".")[2]
        stored = StoredFile(f"offline-file-{number}", f"{folder}/file_{number}.{suffix}", upload)
        self._by_id[stored.file_id] = stored
        return stored

    def get(self, file_id: str) -> StoredFile:
        """Raises BadRequestError for an id that was never given out."""
        if file_id not in self._by_id:
            raise BadRequestError("wrong file identifier/HTTP URL specified")
        return self._by_id[file_id]

    def at(self, path: str) -> StoredFile | None:
        """The file at a download path, if there is one."""
        return next((stored for stored in self._by_id.values() if stored.path == path), None)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture's own bytes say; width and height in pixels."""

    mime_type: str
    width: int
    height: int


def read_picture(data: bytes) -> Picture:
    """Looks into a PNG, GIF or JPEG. Raises BadRequestError for anything else."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return Picture("image/png", *struct.unpack(">II", data[16:24]))
        if data[:6] in {b"GIF87a", b"GIF89a"}:
            return Picture("image/gif", *struct.unpack("<HH", data[6:10]))
        if data.startswith(b"\xff\xd8"):
            return Picture("image/jpeg", *_jpeg_size(data))
    except (struct.error, IndexError):
        pass
    raise BadRequestError("IMAGE_PROCESS_FAILED")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    position = 2
    while data[position + 1] not in JPEG_SIZE_MARKERS:
        position += 2 + int(struct.unpack(">H", data[position + 2 : position + 4])[0])
    height, width = struct.unpack(">HH", data[position + 5 : position + 9])
    return width, height

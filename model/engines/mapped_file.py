"""Memory of a file that a library has mapped."""

import ctypes
import mmap
import os
from pathlib import Path

MAPS = Path("/proc/self/maps")


def give_back(file: Path) -> None:
    """Take the pages of `file` that are mapped for reading only out of this process; those that it reads come back.

    For a file that is read once and then hardly. Does nothing where the system is not Linux.
    """
    if not MAPS.is_file():
        return
    madvise, name = ctypes.CDLL(None).madvise, os.path.realpath(file)
    for line in MAPS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        addresses, access, *_, path = line.split(maxsplit=5)
        if path == name and access.startswith("r-"):
            start, end = (int(address, 16) for address in addresses.split("-"))
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)

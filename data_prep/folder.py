"""The examples folder: written beside its place, then swapped in whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_prep.schema import OUTPUTS, ScriptError


def check_place(folder: Path, script: Path) -> None:
    """Raises ScriptError where a new examples folder would overwrite anything but an older one."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ScriptError(f"{folder}: is a file, not a folder")
    try:
        foreign = {path.name for path in folder.iterdir()} - OUTPUTS
    except OSError as error:
        raise ScriptError(f"{folder}: cannot be read: {error.strerror}") from error
    if foreign:
        raise ScriptError(f"{folder}: holds {min(foreign)}, which is no example; name a new or empty folder")
    if script.resolve().is_relative_to(folder.resolve()):
        raise ScriptError(f"{folder}: holds {script.name} itself, and would be replaced; name another folder")


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of `folder` when the block ends well, and vanishes when it does not."""
    folder = folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # A folder inside a temporary one: mkdtemp's own is closed to other users.
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ScriptError(f"{folder}: cannot be written: {error.strerror}") from error
    try:
        (beside / "new").mkdir()
        yield beside / "new"
        _swap(beside / "new", folder, beside / "old")
    except OSError as error:
        raise ScriptError(f"{folder}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _swap(new: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        if old.exists():
            old.rename(folder)
        raise

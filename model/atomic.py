"""Files and folders that appear at one stroke, so that readers see all of the old or all of the new; JSON both ways."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from model.errors import ModelError


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A scratch folder beside `target` that becomes `target` when the block ends, or vanishes if the block fails.

    FileExistsError if `target` is there by then: somebody else was quicker, and the scratch folder is gone.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # A folder inside a temporary one: mkdtemp's own is closed to other users.
    beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        scratch = beside / target.name
        scratch.mkdir()
        yield scratch
        scratch.rename(target)
    except OSError as error:
        if target.is_dir():
            raise FileExistsError(f"{target} is there already") from error
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A scratch file beside `target` that takes its place when the block ends, or vanishes if the block fails."""
    scratch = target.with_name(f".{target.name}-{os.getpid()}")
    try:
        yield scratch
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


def write_text(file: Path, text: str) -> None:
    """Replace a file's text, or make the file."""
    with new_file(file) as scratch:
        scratch.write_text(text, encoding="utf-8")


def write_json(file: Path, values: Mapping[str, Any]) -> None:
    """Replace a file with a JSON object, or make the file."""
    write_text(file, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def read_json(file: Path) -> dict[str, Any]:
    """The JSON object in a file; ModelError if it cannot be read or is something else."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise ModelError(f"{file} holds no JSON object")
    return values

"""Versions of each persona on disk: `<store>/<persona>/<version>/`, and which of them is live.

The file `<store>/<persona>/current` names the live version in its first line, and below it the ones that were live
before, newest first. It is replaced at one stroke, so a reader sees the old or the new version, never half of either.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.atomic import new_folder, read_json, write_json, write_text
from model.errors import ModelError
from model.export import export
from model.persona import FILE_NAME, SHIPPED, Persona, check_identifier, read_persona
from model.zoo import base_folder

DEFAULT_STORE = Path("var/models")
MANIFEST = "manifest.json"
TRAINING = "training.json"
SOURCES = "sources.jsonl.gz"
SHIPPED_PREFIX = "shipped-"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a persona, as it lies on disk."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """The version's name, which is its folder's."""
        return self.folder.name

    @property
    def base(self) -> str:
        """Name or folder of the base, as `model.zoo.base_folder` takes it."""
        return str(self.manifest["base"])

    @property
    def persona(self) -> Persona:
        """The persona card of this version."""
        return read_persona(self.folder / FILE_NAME)

    @property
    def engine_folder(self) -> Path:
        """What the default engine reads."""
        return self.folder / "engine"

    @property
    def adapter(self) -> Path | None:
        """The LoRA adapter, if this version has one."""
        return self.folder / "adapter" if (self.folder / "adapter").is_dir() else None

    @property
    def weights(self) -> Path | None:
        """The weights of a full fine-tuning, if this version is one."""
        return self.folder / "weights" if (self.folder / "weights").is_dir() else None

    @property
    def sources(self) -> Path | None:
        """The lines that it was trained on (see `model.sources`), if this version carries them."""
        return self.folder / SOURCES if (self.folder / SOURCES).is_file() else None

    def verify(self) -> None:
        """Compare every file with the manifest's checksums; ModelError names the first that differs."""
        for name, expected in self.manifest["files"].items():
            file = self.folder / name
            if not file.is_file() or _sha256(file) != expected:
                raise ModelError(f"{file} is missing or damaged: restore it, or roll back to another version")


class Store:
    """The model store in a folder, which is made when something is first put into it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def personas(self) -> list[str]:
        """Ids of all personas that have a version here or ship with the project."""
        stored = {path.parent.name for path in self._folder.glob("*/current")}
        return sorted(stored | {path.parent.name for path in SHIPPED.glob(f"*/{FILE_NAME}")})

    def names(self, persona: str) -> list[str]:
        """Names of all versions of a persona, oldest first; damaged ones, too."""
        files = self._of(persona).glob(f"[!.]*/{MANIFEST}")
        return [file.parent.name for file in sorted(files, key=lambda file: (file.stat().st_mtime_ns, file))]

    def get(self, persona: str, version: str) -> Version:
        """One version; ModelError if there is none of that name."""
        names = self.names(check_identifier(persona))
        if version not in names:
            raise ModelError(f"persona {persona!r} has no version {version!r}; there are: {', '.join(names) or 'none'}")
        return _read_version(self._of(persona) / version)

    def live(self, persona: str) -> Version:
        """The live version. A persona that ships with the project is installed first where that is due."""
        check_identifier(persona)
        live = self._history(persona)[:1]
        if not live or live[0].startswith(SHIPPED_PREFIX):
            self._install_shipped(persona)
        if not (history := self._history(persona)):
            raise ModelError(f"no persona {persona!r} in {self._folder}; there are: {', '.join(self.personas())}")
        return self.get(persona, history[0])

    def card(self, persona: str) -> Persona:
        """The card of the live version, or of what ships; installs nothing. ModelError if there is nothing to play."""
        live, shipped = self.live_name(check_identifier(persona)), SHIPPED / persona / FILE_NAME
        if shipped.is_file() and (live is None or live.startswith(SHIPPED_PREFIX)):
            return read_persona(shipped)
        if live is None:
            raise ModelError(f"no persona {persona!r} in {self._folder}; there are: {', '.join(self.personas())}")
        version = self.get(persona, live)
        if not version.engine_folder.is_dir():
            raise ModelError(f"{version.engine_folder} is missing: restore it, or roll back to another version")
        return version.persona

    def live_name(self, persona: str) -> str | None:
        """Name of the live version, or None where nothing is installed; changes nothing."""
        return next(iter(self._history(persona)), None)

    def add(self, persona: str, run: Path, promote: bool = True) -> Version:
        """Take a finished training run (adapter/ or weights/, persona card, training.json) as a new version."""
        check_identifier(persona)
        training = read_json(run / TRAINING)
        taken = [path.name[1:] for path in self._of(persona).glob("v*")]
        number = 1 + max((int(number) for number in taken if number.isdecimal()), default=0)
        adapter, weights = run / "adapter", run / "weights"
        with new_folder(self._of(persona) / f"v{number}") as folder:
            for source in sorted(run.iterdir()):
                if source.name in ("adapter", "weights"):
                    shutil.copytree(source, folder / source.name)
                elif source.is_file() and not source.name.startswith("."):
                    shutil.copyfile(source, folder / source.name)
            base = weights if weights.is_dir() else base_folder(training["base"])
            export(base, folder / "engine", adapter if adapter.is_dir() else None)
            _write_manifest(folder, persona, training)
        if promote:
            self.promote(persona, f"v{number}")
        return self.get(persona, f"v{number}")

    def promote(self, persona: str, version: str) -> None:
        """Make a version the live one."""
        name = self.get(persona, version).name
        try:
            earlier = [known for known in self._history(persona) if known != name]
        except ModelError:  # promoting is what mends it
            earlier = []
        self._write_history(persona, [name, *earlier])

    def earlier(self, persona: str) -> list[str]:
        """Names of the versions that were live before the present one and are still there, newest first."""
        present = self.names(check_identifier(persona))
        return [name for name in self._history(persona)[1:] if name in present]

    def rollback(self, persona: str) -> Version:
        """Make the version live again that was live before; ModelError if there is none."""
        earlier = self.earlier(persona)
        if not earlier:
            raise ModelError(f"persona {persona!r} has no earlier version to roll back to")
        self._write_history(persona, earlier)
        return self.get(persona, earlier[0])

    def prune(self, persona: str, earlier: int) -> list[str]:
        """Delete all versions but the live one, so many that were live before it, and the newest; returns their names.

        Where none is live, nothing is deleted.
        """
        names = self.names(check_identifier(persona))
        history = [name for name in self._history(persona) if name in names]
        outdated = [name for name in names[:-1] if history and name not in history[: 1 + earlier]]
        for name in outdated:
            # Out of sight at one stroke, so that half a version is never listed.
            hidden = self._of(persona) / f".{name}-outdated"
            (self._of(persona) / name).rename(hidden)
            shutil.rmtree(hidden, ignore_errors=True)
        return outdated

    def _of(self, persona: str) -> Path:
        return self._folder / persona

    def _history(self, persona: str) -> list[str]:
        file = self._of(persona) / "current"
        names = file.read_text(encoding="utf-8", errors="replace").split() if file.is_file() else None
        if names == []:
            raise ModelError(f"{file} is damaged: promote one of {', '.join(self.names(persona)) or 'none'}")
        return names or []

    def _write_history(self, persona: str, names: list[str]) -> None:
        write_text(self._of(persona) / "current", "\n".join(names) + "\n")

    def _install_shipped(self, persona: str) -> None:
        source = SHIPPED / persona
        if not (source / FILE_NAME).is_file():
            return
        name = SHIPPED_PREFIX + _digest_of_folder(source)[:12]
        if self._history(persona)[:1] == [name]:
            return
        card = read_persona(source / FILE_NAME)
        base = base_folder(card.base)
        adapter = source / "adapter" if (source / "adapter").is_dir() else None
        if not (self._of(persona) / name).is_dir():
            # Somebody else may be quicker: then theirs is the same.
            with suppress(FileExistsError), new_folder(self._of(persona) / name) as folder:
                shutil.copytree(source, folder, dirs_exist_ok=True)
                export(base, folder / "engine", adapter)
                _write_manifest(folder, persona, _how_it_was_made(folder, card, adapter))
        self.promote(persona, name)
        for outdated in self._of(persona).glob(f"{SHIPPED_PREFIX}*"):
            if outdated.name != name:
                shutil.rmtree(outdated, ignore_errors=True)


def _read_version(folder: Path) -> Version:
    file = folder / MANIFEST
    manifest = read_json(file)
    if not {"created", "base", "files"} <= manifest.keys():
        raise ModelError(f"{file} is damaged: it lacks created, base or files")
    return Version(folder, manifest)


def _how_it_was_made(folder: Path, card: Persona, adapter: Path | None) -> dict[str, Any]:
    """What the manifest that ships says of training and figures; little where a persona ships untrained."""
    shipped = read_json(folder / MANIFEST) if (folder / MANIFEST).is_file() else {}
    return {"method": "lora" if adapter else "none", **shipped, "base": card.base}


def _write_manifest(folder: Path, persona: str, training: dict[str, Any]) -> None:
    own = folder / MANIFEST  # what ships has one, too, and this one takes its place
    files = {str(path.relative_to(folder).as_posix()): _sha256(path) for path in _files(folder) if path != own}
    created = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {"format": 1, "created": created, **training, "persona": persona, "files": files}
    write_json(folder / MANIFEST, manifest)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest_of_folder(folder: Path) -> str:
    lines = (f"{path.relative_to(folder).as_posix()} {_sha256(path)}\n" for path in _files(folder))
    return hashlib.sha256("".join(lines).encode()).hexdigest()

"""From a script file to an examples folder: the steps in their order, and what the manifest says of them."""

from __future__ import annotations

import csv
import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from data_prep import report
from data_prep.examples import write_examples
from data_prep.folder import check_place, replaced_folder
from data_prep.names import choose_character
from data_prep.scenes import spoken_lines
from data_prep.schema import FORMAT, MANIFEST, REJECTED, SPLITS, Counts, Reject, SplitCounts
from data_prep.script import Script, read_script
from data_prep.speakers import Cast, find_speakers
from data_prep.split import split_lines

STEPS = ("reading", "speakers", "scenes", "examples", "report")
_STRUCTURAL = ("unescaped_quotes", "unquoted_commas", "nul_bytes")


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for. `columns` maps another show's columns; empty for a script in the 13 columns."""

    script: Path
    character: str
    out: Path
    context: int = 3
    seed: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)


def prepare(request: Request, step: Callable[[str], None] = lambda name: None) -> dict[str, Any]:
    """Writes the examples folder and returns its manifest; `step` hears the name of each of STEPS as it begins.

    Raises ScriptError for a script, a character or a folder that will not do; then nothing is written.
    """
    check_place(request.out, request.script)
    step("reading")
    script = read_script(request.script, request.columns)
    step("speakers")
    cast = find_speakers(script)
    script.release()
    name = choose_character(request.character, cast.lines_per_character())
    step("scenes")
    spoken = spoken_lines(cast)
    spoken, split_by = split_lines(spoken, spoken["speaker"] == name, request.seed)
    is_target = spoken["speaker"] == name
    manifest = _manifest(request, script, cast, spoken, is_target, name, split_by)
    with replaced_folder(request.out) as folder:
        step("examples")
        write_examples(spoken, is_target, request.context, folder)
        _write_rejected(cast.rejected, folder / REJECTED)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        step("report")
        report.write_report(folder, manifest, spoken, is_target, cast)
    return manifest


def count_characters(script: Path, columns: Mapping[str, str]) -> dict[str, int]:
    """Spoken lines by character, most first."""
    return find_speakers(read_script(script, columns)).lines_per_character()


def _manifest(
    request: Request, script: Script, cast: Cast, spoken: pd.DataFrame, is_target: pd.Series, name: str, split_by: str
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "character": name,
        "source": _source(request.script) | {"encoding": script.encoding},
        "counts": asdict(_counts(script, cast, spoken, is_target)),
        "repairs": dict(script.repairs),
        "rejects": _by_kind(cast.rejected),
        "disagreements": dict(cast.disagreements),
        "aliases": cast.aliases,
        "settings": {
            "context": request.context,
            "seed": request.seed,
            "columns": dict(request.columns),
            "split_by": split_by,
        },
        "versions": {"python": platform.python_version(), "pandas": pd.__version__, "pyarrow": pa.__version__},
    }


def _source(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": path.name, "sha256": digest, "bytes": path.stat().st_size}


def _counts(script: Script, cast: Cast, spoken: pd.DataFrame, is_target: pd.Series) -> Counts:
    lines = cast.lines
    return Counts(
        rows_read=script.rows_read,
        rows_kept=len(lines),
        rows_rejected=len(cast.rejected),
        rows_repaired=sum(script.repairs[kind] for kind in _STRUCTURAL),
        blank_lines=script.blank_lines,
        spoken_lines=len(spoken),
        silent_lines=int((~lines["spoken"] & ~lines["heading"]).sum()),
        headings=int(lines["heading"].sum()),
        joint_lines=int((lines["spoken"] & lines["joint"]).sum()),
        scenes=int(spoken["scene_id"].nunique()),
        episodes=int(spoken["episode_id"].nunique()),
        characters=len(cast.lines_per_character()),
        qa_pairs=len(spoken),
        target_pairs=int(is_target.sum()),
        splits={split: _split_counts(spoken["split"] == split, spoken, is_target) for split in SPLITS},
    )


def _split_counts(inside: pd.Series, spoken: pd.DataFrame, is_target: pd.Series) -> SplitCounts:
    return SplitCounts(
        episodes=int(spoken.loc[inside, "episode_id"].nunique()),
        qa_pairs=int(inside.sum()),
        target_pairs=int((inside & is_target).sum()),
    )


def _by_kind(rejected: list[Reject]) -> dict[str, int]:
    return {str(kind): int(count) for kind, count in pd.Series([r.reason for r in rejected]).value_counts().items()}


def _write_rejected(rejected: list[Reject], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "text"))
        writer.writerows((r.line, r.reason, r.text) for r in sorted(rejected, key=lambda r: r.line))

"""From a script file to an examples folder: the steps in their order, and what the manifest says of them."""

from __future__ import annotations

import csv
import hashlib
import json
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from data_prep import report
from data_prep.drawing import Drawing
from data_prep.examples import write_examples
from data_prep.figures import Figures
from data_prep.folder import check_place, replaced_folder
from data_prep.names import choose_character
from data_prep.scenes import spoken_lines
from data_prep.schema import CHARTS, FORMAT, MANIFEST, REJECTED, Counts, Reject
from data_prep.script import Progress, Script, read_script
from data_prep.shelf import Frames
from data_prep.speakers import Cast, find_speakers
from data_prep.split import plan_split

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


def prepare(request: Request, step: Callable[[str, float], None] = lambda name, share: None) -> dict[str, Any]:
    """Writes the examples folder and returns its manifest; `step` hears each of STEPS and the share of it that is done.

    Raises ScriptError for a script, a character or a folder that will not do; then nothing is written.
    """
    check_place(request.out, request.script)
    with Drawing() as drawing:
        step("reading", 0)
        script = read_script(request.script, request.columns, partial(step, "reading"))
        step("speakers", 0)
        cast = find_speakers(script, partial(step, "speakers"))
        name = choose_character(request.character, cast.lines_per_character())
        step("scenes", 0)
        spoken = _spoken(cast, partial(step, "scenes"))
        plan = plan_split(spoken, name, request.seed)
        figures = Figures(name, cast.lines_per_character())
        for lines in plan.split(spoken):
            figures.add(lines)
        manifest = _manifest(request, script, cast, figures, plan.kind)
        figures.odd = report.odd_rows(manifest)
        with replaced_folder(request.out) as folder:
            (folder / CHARTS).mkdir()
            with drawing.begun(folder / CHARTS, figures.as_json()):
                step("examples", 0)
                write_examples(_told(plan.split(spoken), plan.lines, step), name, request.context, folder)
                _write_rejected(cast.rejected, folder / REJECTED)
                text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
                (folder / MANIFEST).write_text(text, encoding="utf-8")
                step("report", 0)
                report.write_report(folder, manifest, cast, drawing)
    return manifest


def count_characters(script: Path, columns: Mapping[str, str]) -> dict[str, int]:
    """Spoken lines by character, most first."""
    return find_speakers(read_script(script, columns)).lines_per_character()


def _spoken(cast: Cast, progress: Progress) -> Frames:
    """The spoken lines with their scenes."""
    spoken, scenes, done = Frames(), 0, 0
    after_gaps = cast.after_gaps()
    for lines in cast.chunks():
        chunk = spoken_lines(lines, after_gaps, scenes)
        scenes += int(chunk["scene_id"].nunique())
        done += len(lines)
        spoken.put(chunk)
        progress(done / cast.kept.total())
    return spoken


def _told(chunks: Iterable[pd.DataFrame], total: int, step: Callable[[str, float], None]) -> Iterator[pd.DataFrame]:
    done = 0
    for lines in chunks:
        yield lines
        done += len(lines)
        step("examples", done / total)


def _manifest(request: Request, script: Script, cast: Cast, figures: Figures, split_by: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "character": figures.name,
        "source": _source(request.script) | {"encoding": script.encoding},
        "counts": asdict(_counts(script, cast, figures)),
        "repairs": dict(script.repairs),
        "rejects": dict(Counter(reject.reason for reject in cast.rejected).most_common()),
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


def _counts(script: Script, cast: Cast, figures: Figures) -> Counts:
    return Counts(
        rows_read=script.rows_read,
        rows_kept=cast.kept.total(),
        rows_rejected=len(cast.rejected),
        rows_repaired=sum(script.repairs[kind] for kind in _STRUCTURAL),
        blank_lines=script.blank_lines,
        spoken_lines=cast.kept["spoken"],
        silent_lines=cast.kept["silent"],
        headings=cast.kept["heading"],
        joint_lines=cast.joint_lines,
        scenes=sum(figures.scenes),
        episodes=len(figures.episodes),
        characters=len(figures.characters),
        qa_pairs=sum(figures.episodes),
        target_pairs=sum(figures.own_words),
        splits=figures.splits,
    )


def _write_rejected(rejected: list[Reject], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "text"))
        writer.writerows((r.line, r.reason, r.text) for r in sorted(rejected, key=lambda r: r.line))

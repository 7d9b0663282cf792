"""The page that shows what became of a script: counts, charts, what was odd, the split, and some examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_prep.drawing import Drawing
from data_prep.schema import REPORT, TARGET_PAIRS, TRAIN, Reject
from data_prep.speakers import Cast

_TEMPLATE = "report.html.j2"
_SAMPLES, _REJECTS = 6, 12
_EXPLAINED = {
    "unescaped_quotes": "repaired: unescaped quotes",
    "unquoted_commas": "repaired: commas without quotes",
    "nul_bytes": "repaired: NUL bytes",
    "wrong_decoding": "mended: wrongly decoded characters",
    "speaker_differs": "raw_text and raw_character_text name two speakers",
    "speaker_in_another_case": "the speaker in another case",
    "no_raw_character_text": "the speaker only in raw_text",
    "no_speaker_in_raw_text": "the speaker not in raw_text",
    "character_id_differs": "another's character_id",
    "another_spelling": "another spelling of a name",
    "spoken_words_differ": "spoken_words and raw_text differ",
    "spoken_words_missing": "spoken_words missing",
    "speaking_without_words": "speaking_line, but only a direction",
    "words_but_not_speaking": "not speaking_line, but words",
    "id_used_twice": "an id used twice",
}


def write_report(folder: Path, manifest: Mapping[str, Any], cast: Cast, drawing: Drawing) -> None:
    """Writes report.html into an examples folder; it needs no other file."""
    samples = _samples(folder / TARGET_PAIRS, manifest["settings"]["context"])
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    template = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = template.get_template(_TEMPLATE).render(
        manifest=manifest,
        counts=manifest["counts"],
        charts=drawing.charts(),
        samples=samples,
        spellings=_spellings(cast),
        rejects=_first_of_each_kind(cast.rejected),
    )
    (folder / REPORT).write_text(page, encoding="utf-8")


def odd_rows(manifest: Mapping[str, Any]) -> dict[str, int]:
    """What was rejected, repaired or in disagreement: rows by kind, most first within each of the three."""
    rejects = {f"rejected: {reason}": count for reason, count in manifest["rejects"].items()}
    others = manifest["repairs"] | manifest["disagreements"]
    return rejects | {_EXPLAINED[kind]: count for kind, count in others.items()}


def _samples(pairs: Path, context: int) -> list[dict[str, Any]]:
    """Training examples spread evenly over the show, with as full a context as there is and no very short answer."""
    own, good = [np.empty(0, bool)], [np.empty(0, bool)]
    with pq.ParquetFile(pairs) as file:
        for batch in file.iter_batches(columns=["answer", "context", "split"]):
            letters = pc.utf8_length(batch["answer"]).to_numpy()
            full = pc.list_value_length(batch["context"]).to_numpy() >= context
            own.append(np.array(pc.equal(batch["split"], TRAIN)))
            good.append(own[-1] & full & (letters >= 25) & (letters <= 200))
        chosen = np.flatnonzero(np.concatenate(good))
        if len(chosen) < _SAMPLES:
            chosen = np.flatnonzero(np.concatenate(own))
        picked = chosen[np.linspace(0, len(chosen) - 1, min(_SAMPLES, len(chosen))).astype(int)]
        return [_example(row) for row in _rows(file, picked)]


def _rows(file: Any, indices: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
    before = 0
    for batch in file.iter_batches():
        inside = indices[(indices >= before) & (indices < before + len(batch))] - before
        yield from batch.take(inside).to_pylist()
        before += len(batch)


def _example(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"turns": list(zip(row["context_speakers"], row["context"], strict=True))}


def _spellings(cast: Cast) -> list[tuple[str, str]]:
    merged: dict[str, list[str]] = {}
    for spelling, name in cast.aliases.items():
        merged.setdefault(name, []).append(spelling)
    return sorted((name, ", ".join(sorted(spellings))) for name, spellings in merged.items())


def _first_of_each_kind(rejected: list[Reject]) -> list[Reject]:
    first = {reject.reason: reject for reject in sorted(rejected, key=lambda reject: -reject.line)}
    return sorted(first.values(), key=lambda reject: reject.line)[:_REJECTS]

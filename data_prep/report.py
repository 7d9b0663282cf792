"""The page that shows what became of a script: counts, charts, what was odd, the split, and some examples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from data_prep.charts import draw_charts
from data_prep.examples import qa_pairs
from data_prep.schema import CHARTS, REPORT, TRAIN, Reject
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


def write_report(
    folder: Path, manifest: Mapping[str, Any], lines: pd.DataFrame, is_target: pd.Series, cast: Cast
) -> None:
    """Writes report.html, which needs no other file, and its charts as PNG beside it."""
    charts = folder / CHARTS
    charts.mkdir()
    drawn = draw_charts(charts, lines, is_target, cast.lines_per_character(), odd_rows(manifest))
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    template = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = template.get_template(_TEMPLATE).render(
        manifest=manifest,
        counts=manifest["counts"],
        charts=drawn,
        samples=_samples(lines, is_target, manifest["settings"]["context"]),
        spellings=_spellings(cast),
        rejects=_first_of_each_kind(cast.rejected),
    )
    (folder / REPORT).write_text(page, encoding="utf-8")


def odd_rows(manifest: Mapping[str, Any]) -> dict[str, int]:
    """What was rejected, repaired or in disagreement: rows by kind, most first within each of the three."""
    rejects = {f"rejected: {reason}": count for reason, count in manifest["rejects"].items()}
    others = manifest["repairs"] | manifest["disagreements"]
    return rejects | {_EXPLAINED[kind]: count for kind, count in others.items()}


def _samples(lines: pd.DataFrame, is_target: pd.Series, context: int) -> list[dict[str, Any]]:
    """Training examples spread evenly over the show, with as full a context as there is and no very short answer."""
    own = lines.index[is_target & (lines["split"] == TRAIN)]
    depth = lines.groupby("scene_id").cumcount()
    good = own[(depth[own] >= context) & (lines.loc[own, "text"].str.len().between(25, 200))]
    chosen = good if len(good) >= _SAMPLES else own
    picked = chosen[np.linspace(0, len(chosen) - 1, min(_SAMPLES, len(chosen))).astype(int)]
    return [_example(lines, is_target, int(index), context) for index in picked]


def _example(lines: pd.DataFrame, is_target: pd.Series, index: int, context: int) -> dict[str, Any]:
    first = max(index - context, 0)
    pairs = next(qa_pairs(lines.iloc[first : index + 1], is_target.iloc[first : index + 1], context))
    example: dict[str, Any] = pairs.slice(index - first, 1).to_pylist()[0]
    example["turns"] = list(zip(example["context_speakers"], example["context"], strict=True))
    return example


def _spellings(cast: Cast) -> list[tuple[str, str]]:
    merged: dict[str, list[str]] = {}
    for spelling, name in cast.aliases.items():
        merged.setdefault(name, []).append(spelling)
    return sorted((name, ", ".join(sorted(spellings))) for name, spellings in merged.items())


def _first_of_each_kind(rejected: list[Reject]) -> list[Reject]:
    first = {reject.reason: reject for reject in sorted(rejected, key=lambda reject: -reject.line)}
    return sorted(first.values(), key=lambda reject: reject.line)[:_REJECTS]

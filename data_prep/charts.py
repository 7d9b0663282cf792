"""The report's charts, drawn without any state that is shared with other users of matplotlib."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

Counts = NDArray[np.int64]

_INK, _ACCENT, _MUTED = "#1d2530", "#e8590c", "#9aa7b8"
_SPLIT_COLOURS = {"train": _ACCENT, "validation": "#1098ad", "test": "#7048e8"}
_SHOWN = 20  # characters
_RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.parse_math": False,  # a name with two dollar signs is a name
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def draw_charts(folder: Path, figures: Mapping[str, Any], each: Callable[..., Iterable[str]] = map) -> dict[str, str]:
    """Writes one PNG a chart into `folder` and returns the same as SVG, whose ink is the page's text colour.

    `figures` are those of data_prep.figures. `each` is what maps a function over the charts, in this process or others.
    """
    names = [name for name in _CHARTS if name != "odd_rows" or figures["odd"]]
    return dict(zip(names, each(partial(_draw, folder, figures), names), strict=True))


def _draw(folder: Path, figures: Mapping[str, Any], name: str) -> str:
    with matplotlib.rc_context(_RC):
        return _save(_CHARTS[name](figures), folder / f"{name}.png", name)


def _counts(values: Sequence[int]) -> Counts:
    return np.array(values, np.int64)


def _save(figure: Figure, to: Path | io.BytesIO, name: str) -> str:
    figure.savefig(to, format="png", dpi=130, metadata={"Software": None})
    figure.set_layout_engine("none")  # the layout stands; finding it again would take as long as drawing
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    svg = re.sub(r'(?:id="|xlink:href="#|url\(#)', rf"\g<0>{name}-", svg)  # ids are unique on the page
    return re.sub(r'<svg [^>]*?width="[^"]*" height="[^"]*"', lambda tag: _flexible(tag.group()), svg, count=1)


def _flexible(tag: str) -> str:
    return re.sub(r'(width|height)="[^"]*"', "", tag)


def _axes(width: float = 7.2, height: float = 3.4) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="tight")
    return figure, figure.add_subplot()


def _characters(figures: Mapping[str, Any]) -> Figure:
    per_character, name = figures["characters"], figures["name"]
    shown = dict(list(per_character.items())[:_SHOWN])
    shown[name] = per_character[name]
    names, counts = list(shown)[::-1], list(shown.values())[::-1]
    figure, axes = _axes(height=0.9 + 0.31 * len(shown))
    bars = axes.barh(names, counts, color=[_ACCENT if other == name else _MUTED for other in names], height=0.72)
    axes.bar_label(bars, [f"{count:,}" for count in counts], padding=4, fontsize=9)
    axes.set_xlabel("spoken lines")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.margins(x=0.1, y=0.02)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.get_yticklabels()[names.index(name)].set_fontweight("bold")
    return figure


def _episodes(figures: Mapping[str, Any]) -> Figure:
    """The show's lines an episode behind the target's, which are coloured by the split that they are in."""
    every, own, name = figures["episodes"], figures["own"], figures["name"]
    edges = np.arange(len(every) + 1) + 0.5
    figure, axes = _axes(width=14.6, height=3.2)
    # One patch for all bars of a colour: a long show has hundreds of episodes.
    axes.stairs(every, edges, fill=True, color=_MUTED, alpha=0.35, label="everyone")
    for split in (split for split in _SPLIT_COLOURS if any(own[split])):
        axes.stairs(own[split], edges, fill=True, color=_SPLIT_COLOURS[split], label=f"{name}, {split}")
    axes.set(xlabel="episode, in the order of the show", ylabel="spoken lines")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.005)
    axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    return figure


def _answers(figures: Mapping[str, Any]) -> Figure:
    own, others, name = _counts(figures["own_words"]), _counts(figures["other_words"]), figures["name"]
    every = np.zeros(max(len(own), len(others)), np.int64)
    every[: len(own)] += own
    every[: len(others)] += others
    last = int(np.clip(_quantile(every, 0.98), 10, 50))
    bins = np.arange(0.5, last + 1).tolist()
    figure, axes = _axes()
    values, counts = _up_to(own, last)
    axes.hist(values, bins, weights=counts * (100 / own.sum()), color=_ACCENT, alpha=0.75, label=name)
    if others.sum():
        values, counts = _up_to(others, last)
        share = counts * (100 / others.sum())
        axes.hist(values, bins, weights=share, histtype="step", color=_INK, linewidth=1.3, label="everyone else")
    median = _quantile(own, 0.5)
    axes.axvline(median, color=_ACCENT, linestyle="--", linewidth=1.2, label=f"{name}'s median: {median:.0f}")
    axes.set(xlabel=f"words in a line (the last bar: {last} and more)", ylabel="% of the lines")
    axes.legend()
    return figure


def _up_to(counts: Counts, last: int) -> tuple[Counts, Counts]:
    """The values that are counted, those beyond `last` as it, and their counts."""
    values = np.flatnonzero(counts)
    return np.minimum(values, last), counts[values]


def _quantile(counts: Counts, share: float) -> float:
    """As numpy.quantile, of values that are counted."""
    rank = share * (counts.sum() - 1)
    upto = np.cumsum(counts)
    below, above = (int(np.searchsorted(upto, whole, "right")) for whole in (np.floor(rank), np.ceil(rank)))
    return below + (above - below) * float(rank - np.floor(rank))


def _scenes(figures: Mapping[str, Any]) -> Figure:
    counts = _counts(figures["scenes"])
    sizes = np.flatnonzero(counts)
    median = _quantile(counts, 0.5)
    figure, axes = _axes()
    axes.hist(sizes, bins=min(40, max(int(sizes[-1]), 2)), weights=counts[sizes], color="#1098ad", alpha=0.8)
    axes.axvline(median, color=_INK, linestyle="--", linewidth=1, label=f"median: {median:.0f}")
    axes.set(xlabel="spoken lines in a scene", ylabel="scenes")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    return figure


def _odd_rows(figures: Mapping[str, Any]) -> Figure:
    odd = figures["odd"]
    kinds, counts = list(odd)[::-1], list(odd.values())[::-1]
    figure, axes = _axes(height=0.8 + 0.3 * len(odd))
    bars = axes.barh(kinds, counts, color="#e03131", alpha=0.75, height=0.66)
    axes.bar_label(bars, [f"{count:,}" for count in counts], padding=4, fontsize=9)
    axes.set_xscale("symlog", linthresh=1)  # one lost row must be seen beside a thousand mended ones
    axes.set_xlim(0, max(counts) * 3)
    axes.xaxis.set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


_CHARTS: dict[str, Callable[[Mapping[str, Any]], Figure]] = {  # the dearest first, as each of two takes what is left
    "characters": _characters,
    "episodes": _episodes,
    "answers": _answers,
    "scenes": _scenes,
    "odd_rows": _odd_rows,
}


def main() -> None:
    """Draws what comes on standard input, and warms up until it comes: the first figure loads fonts."""
    with matplotlib.rc_context(_RC):
        _save(_scenes({"scenes": [0, 1]}), io.BytesIO(), "none")
    wanted = json.load(sys.stdin)
    with _both_cores() as each:
        json.dump(draw_charts(Path(wanted["folder"]), wanted["figures"], each), sys.stdout)


@contextmanager
def _both_cores() -> Iterator[Callable[..., Iterable[str]]]:
    """What maps a function in two copies of this process, warm as it is; where there are no such copies, here."""
    if sys.platform != "linux":
        yield map
        return
    with ProcessPoolExecutor(2, get_context("fork")) as copies:
        yield copies.map


if __name__ == "__main__":
    main()

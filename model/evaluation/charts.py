"""The report's plots as SVG, drawn without any state that is shared with other users of matplotlib."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from model.sentences import words

Samples = Mapping[str, Sequence[float]]

INK = "#1d2530"
COLOURS = {"base": "#9aa7b8", "version": "#e8590c", "true answers": "#1098ad", "everyone else": "#7048e8"}
COLOURS |= {"shuffled": "#7048e8"}
RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "evaluation",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def draw_lengths(texts: Mapping[str, Sequence[str]]) -> str:
    """Distributions of answers' lengths in words; series are named as in `COLOURS`."""
    lengths = {name: [len(words(text)) for text in series] for name, series in texts.items()}
    last = max(10, int(np.quantile([length for series in lengths.values() for length in series], 0.98)))
    figure, axes = _axes("words in an answer", "share of the answers, so long or shorter")
    for name, series in lengths.items():
        shares = [sum(length <= most for length in series) / len(series) for most in range(last + 1)]
        axes.step(range(last + 1), shares, where="post", color=COLOURS[name], label=name, linewidth=1.8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _finish(figure, axes, "lengths")


def draw_ranks(ranks: Mapping[str, Sequence[int]], candidates: int) -> str:
    """Share of contexts whose true answer is among the first k, over k; a dashed line is chance."""
    figure, axes = _axes("first k of the candidates", "true answer among them")
    places = range(1, candidates + 1)
    for name, series in ranks.items():
        shares = [sum(rank <= k for rank in series) / len(series) for k in places]
        axes.plot(places, shares, color=COLOURS[name], label=name, linewidth=1.8, marker=".", markersize=5)
    axes.plot(places, [k / candidates for k in places], color=INK, linestyle="--", linewidth=1, label="chance")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _finish(figure, axes, "ranks")


def draw_shares(samples: Samples, label: str, name: str) -> str:
    """Distributions of some score as cumulative shares, so that small sets need no choice of bins."""
    figure, axes = _axes(label, "share of the answers, at or below")
    for series, values in samples.items():
        ordered = np.sort(np.asarray(values))
        shares = np.arange(1, len(ordered) + 1) / len(ordered)
        axes.step(ordered, shares, where="post", color=COLOURS[series], label=series, linewidth=1.8)
    return _finish(figure, axes, name)


def _axes(across: str, up: str) -> tuple[Figure, Axes]:
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(6, 3.4), layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.add_subplot(xlabel=across, ylabel=up)


def _finish(figure: Figure, axes: Axes, name: str) -> str:
    """The SVG, as wide as its place; ink is the page's text colour, and ids are unique on the page."""
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(0, 1.02)
    axes.grid(alpha=0.2)
    text = io.StringIO()
    with matplotlib.rc_context(RC):
        axes.legend()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r'(?:id="|xlink:href="#|url\(#)', rf"\g<0>{name}-", svg)
    return re.sub(r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', r"<svg \1", svg, count=1)

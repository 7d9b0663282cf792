"""The verdict as a picture for a phone: the loss curve, and the table beneath it."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from model.atomic import new_file
from model.evaluation.charts import COLOURS, INK, RC
from model.metrics import Record
from model.retraining.verdict import Verdict

SIZE, DPI = (6, 7.5), 180  # 1080 x 1350 pixels: upright, as a phone shows it whole
PADDING = 0.15  # inches
PASSED, FAILED = "#2b8a3e", "#c92a2a"
EDGES = (0.0, 0.6, 0.77, 0.94, 1.0)  # where the columns end, as shares of the width
FAINT = "#6b7684"


def draw_verdict(verdict: Verdict, records: Sequence[Record], file: Path) -> None:
    """Draw training and validation loss and the table of a verdict as a PNG, which is replaced at one stroke."""
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=SIZE, layout=ConstrainedLayoutEngine(w_pad=PADDING, h_pad=PADDING))
        FigureCanvasAgg(figure)
        curve, table = figure.subplots(2, 1, height_ratios=(1.15, 1))
        _draw_loss(curve, records)
        _draw_table(table, verdict)
        colour = PASSED if verdict.live else FAILED
        figure.suptitle(verdict.headline, fontsize=13, fontweight="bold", color=colour)
        with new_file(file) as scratch:
            figure.savefig(scratch, format="png", dpi=DPI)


def _draw_loss(axes: Axes, records: Sequence[Record]) -> None:
    styles = (("train_loss", "training", COLOURS["base"]), ("validation_loss", "validation", COLOURS["version"]))
    for name, label, colour in styles:
        points = [(record["step"], record[name]) for record in records if name in record]
        marker = "o" if name == "validation_loss" else ""
        axes.plot(*_columns(points), color=colour, label=label, linewidth=1.8, marker=marker, markersize=5)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats per answer token)")
    axes.grid(alpha=0.2)
    axes.legend()


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [across for across, _ in points], [up for _, up in points]


def _draw_table(axes: Axes, verdict: Verdict) -> None:
    axes.set_axis_off()
    rows = verdict.rows()
    height = 1 / (len(rows) + 1)
    for number, row in enumerate(rows):
        _draw_row(axes, row, 1 - (number + 0.5) * height, is_header=number == 0)
        axes.axhline(1 - (number + 1) * height, color=INK, alpha=0.25 if number == 0 else 0.1, linewidth=1)
    note = f"{verdict.notes()[0]}; ↓ lower is better, ↑ higher is better"
    axes.text(0, height * 0.4, note, fontsize=8, color=FAINT, va="center")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


def _draw_row(axes: Axes, row: Sequence[str], up: float, is_header: bool) -> None:
    label, *cells, mark = row
    weight = "bold" if is_header else "normal"
    axes.text(0, up, label, va="center")
    for cell, right in zip(cells, EDGES[1:], strict=False):
        axes.text(right, up, cell, ha="right", va="center", fontweight=weight)
    axes.text(1, up, mark, ha="right", va="center", fontsize=13, color=PASSED if mark == "✓" else FAILED)

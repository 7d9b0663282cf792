"""The picture of a run: answers a second, a bar for each engine and load."""

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.speed.competitors import OURS
from benchmarks.speed.results import Contest, Figures, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OUR_COLOUR, WRITER_COLOUR, RETRIEVER_COLOUR = "#2a78b8", "#9aa5b1", "#d9c9a3"


def draw(results: Results, file: Path) -> None:
    """A row of charts for each model, one chart for each number of chats."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    contests = list(results.contests.values())
    columns = max(len(contest.loads) for contest in contests)
    rows = max(len(contest.figures) for contest in contests)
    figure = Figure(figsize=(2.2 + 3 * columns, len(contests) * (0.9 + 0.32 * rows)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(contests), columns, squeeze=False)
    for line, contest in zip(grid, contests, strict=True):
        for number, axes in enumerate(line):
            if number < len(contest.loads):
                _draw_load(axes, contest, contest.loads[number], named=number == 0)
            else:
                axes.set_axis_off()
    figure.savefig(file, dpi=120)


def _draw_load(axes: "Axes", contest: Contest, chats: int, named: bool) -> None:
    entries = list(contest.figures.items())[::-1]  # The first is to stand on top.
    speeds = [figures.answers_per_second(chats) for _, figures in entries]
    axes.barh([figures.title for _, figures in entries], speeds, color=[_colour(*entry) for entry in entries])
    # Retrieval may be many times quicker than all who write: their bars are to be told apart all the same.
    writers = [speed for speed, (_, figures) in zip(speeds, entries, strict=True) if not figures.retrieves]
    limit = 1.25 * max(writers or speeds)
    axes.set_xlim(0, limit)
    for place, speed in enumerate(speeds):
        cut = " (bar cut)" if speed > limit else ""
        side = "right" if cut else "left"
        axes.text(limit if cut else speed, place, f" {speed:.3g}{cut}", va="center", ha=side, fontsize=8)
    axes.set_title(
        f"{contest.title}: {chats} chat{'s' * (chats > 1)}" if named else f"{chats} chats", fontsize=9, loc="left"
    )
    axes.set_xlabel("answers a second", fontsize=8)
    axes.tick_params(labelsize=8, labelleft=named)
    axes.spines[["top", "right"]].set_visible(False)


def _colour(key: str, figures: Figures) -> str:
    if key == OURS:
        return OUR_COLOUR
    return RETRIEVER_COLOUR if figures.retrieves else WRITER_COLOUR

"""Charts: figures by day as one picture, in panels above each other. Knows nothing of what the figures mean.

Drawn by hand with Pillow, as what serves is not to need a plotting library. The font comes along: which fonts a machine
has is not known, and Pillow's own has no Cyrillic letters.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONT = Path(__file__).with_name("fonts") / "DejaVuSans.ttf"
WIDTH, PANEL_HEIGHT = 1080, 310  # Pixels. Telegram shrinks photos beyond 1280; four panels stay below that.
LEFT, RIGHT, TOP, BOTTOM = 96, 36, 62, 54  # Around the plot of a panel, for its labels.
TITLE_SIZE, LABEL_SIZE = 27, 22
FINER = 2  # Drawn so much larger and then reduced, which makes lines smooth.
INK, FAINT, GRID, PAPER = "#1f2933", "#5f6c7b", "#e3e8ee", "#ffffff"
BLUE, ORANGE, GREEN, RED = "#2f6fb0", "#dd7a33", "#3a9a5c", "#c5523f"
TICKS, DATES = 4, 5
WIDEST_BAR = 80
DOTS_UP_TO = 62  # Days; with more of them dots would run together.

Value = float | None
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One value a day, None where there is none, in one colour."""

    label: str
    colour: str
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Panel:
    """Series over the same days: bars on top of each other, or lines. `whole` values get whole numbers at the axis."""

    title: str
    series: Sequence[Series]
    is_lines: bool = False
    whole: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing but zeros."""
        return not any(value for series in self.series for value in series.values)

    @property
    def top(self) -> float:
        """The highest point that is drawn."""
        days = zip(*(series.values for series in self.series), strict=True)
        heights = [max(shown) if self.is_lines else sum(shown) for day in days if (shown := [v or 0.0 for v in day])]
        return max(heights)


def draw(days: Sequence[date], panels: Sequence[Panel]) -> bytes:
    """The panels as a PNG, dark on light. Takes a moment: not to be called in the event loop."""
    size = WIDTH, PANEL_HEIGHT * len(panels)
    picture = Image.new("RGB", (size[0] * FINER, size[1] * FINER), PAPER)
    pen = _Pen(ImageDraw.Draw(picture))
    for number, panel in enumerate(panels):
        _draw_panel(pen, days, panel, number * PANEL_HEIGHT)
    file = BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()


class _Pen:
    """Draws in the pixels of the finished picture."""

    def __init__(self, canvas: ImageDraw.ImageDraw) -> None:
        self._canvas = canvas
        self._fonts = {size: ImageFont.truetype(FONT, size * FINER) for size in (TITLE_SIZE, LABEL_SIZE)}

    def text(self, x: float, y: float, words: str, anchor: str, size: int = LABEL_SIZE, colour: str = FAINT) -> None:
        self._canvas.text((x * FINER, y * FINER), words, colour, self._fonts[size], anchor)

    def width(self, words: str) -> float:
        return self._fonts[LABEL_SIZE].getlength(words) / FINER

    def box(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        if bottom > top:
            self._canvas.rectangle([_fine(left), _fine(top), _fine(right) - 1, _fine(bottom) - 1], colour)

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        fine = [(x * FINER, y * FINER) for x, y in points]
        self._canvas.line(fine, colour, round(width * FINER), joint="curve")

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        self._canvas.circle((x * FINER, y * FINER), radius * FINER, colour)


def _fine(pixels: float) -> int:
    return round(pixels * FINER)


def _draw_panel(pen: _Pen, days: Sequence[date], panel: Panel, y: float) -> None:
    plot = LEFT, y + TOP, WIDTH - RIGHT, y + PANEL_HEIGHT - BOTTOM
    step = _step(panel.top, panel.whole)
    top = step * max(1, math.ceil(panel.top / step))
    pen.text(LEFT, y + TOP / 2, panel.title, "lm", TITLE_SIZE, INK)
    if len(panel.series) > 1:
        _draw_legend(pen, panel.series, y + TOP / 2)
    _draw_grid(pen, plot, step, top)
    _draw_dates(pen, days, plot)
    if panel.is_lines:
        for series in panel.series:
            _draw_line(pen, series, plot, top)
    else:
        _draw_bars(pen, panel.series, plot, top)
    pen.line([(plot[0], plot[3]), (plot[2], plot[3])], FAINT, 2)


def _draw_legend(pen: _Pen, series: Sequence[Series], y: float) -> None:
    x = float(WIDTH - RIGHT)
    for each in reversed(series):
        x -= pen.width(each.label)
        pen.text(x, y, each.label, "lm")
        pen.box(x - 30, y - 9, x - 12, y + 9, each.colour)
        x -= 60


def _draw_grid(pen: _Pen, plot: Box, step: float, top: float) -> None:
    left, upper, right, lower = plot
    for number in range(round(top / step) + 1):
        y = lower - (lower - upper) * number * step / top
        pen.line([(left, y), (right, y)], GRID, 1.5)
        pen.text(left - 14, y, _number(number * step), "rm")


def _draw_dates(pen: _Pen, days: Sequence[date], plot: Box) -> None:
    for number in _spread(len(days), DATES):
        x = _middle(plot, number, len(days))
        pen.line([(x, plot[3]), (x, plot[3] + 7)], FAINT, 2)
        # The outer dates are drawn towards the middle, or they would leave the picture.
        half = pen.width(days[number].isoformat()) / 2
        pen.text(min(max(x, half + 4), WIDTH - half - 4), plot[3] + 26, days[number].isoformat(), "mm")


def _draw_bars(pen: _Pen, series: Sequence[Series], plot: Box, top: float) -> None:
    left, upper, right, lower = plot
    count = len(series[0].values)
    half = min(max(0.5, (right - left) / count * 0.36), WIDEST_BAR / 2)
    for number in range(count):
        x, bottom = _middle(plot, number, count), lower
        for each in series:
            height = (lower - upper) * (each.values[number] or 0.0) / top
            pen.box(x - half, bottom - height, x + half, bottom, each.colour)
            bottom -= height


def _draw_line(pen: _Pen, series: Series, plot: Box, top: float) -> None:
    _left, upper, _right, lower = plot
    count = len(series.values)
    for run in _runs(series.values):
        points = [(_middle(plot, number, count), lower - (lower - upper) * value / top) for number, value in run]
        if len(points) > 1:
            pen.line(points, series.colour, 4)
        for point in points if count <= DOTS_UP_TO or len(points) == 1 else ():
            pen.dot(*point, 5.5, series.colour)


def _runs(values: Sequence[Value]) -> Iterator[list[tuple[int, float]]]:
    """The values of days that follow each other, with the numbers of the days."""
    run: list[tuple[int, float]] = []
    for number, value in enumerate([*values, None]):
        if value is not None:
            run.append((number, value))
        elif run:
            yield run
            run = []


def _middle(plot: Box, number: int, count: int) -> float:
    return plot[0] + (plot[2] - plot[0]) * (number + 0.5) / count


def _spread(count: int, most: int) -> list[int]:
    """At most so many numbers below `count`, evenly apart, with the first and the last one."""
    wanted = min(count, most)
    return [round(each * (count - 1) / (wanted - 1)) for each in range(wanted)] if wanted > 1 else [0]


def _step(top: float, whole: bool) -> float:
    """The distance of the lines of a grid: 1, 2 or 5 times a power of ten."""
    raw = top / TICKS or 1.0
    power: float = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    return max(1.0, step) if whole else step


def _number(value: float) -> str:
    for size, unit in ((1_000_000, "M"), (10_000, "k")):
        if value >= size:
            return f"{value / (1_000_000 if unit == 'M' else 1000):g}{unit}"
    return f"{value:g}"

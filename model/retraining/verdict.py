"""The outcome of a retraining: which version plays from now on, and why."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model.atomic import read_json, write_json
from model.retraining.gate import Measure, reasons

VERDICT_FILE = "verdict.json"
PICTURE_FILE = "verdict.png"
LABEL, COLUMN = 28, 10  # characters: at least so many


@dataclass(frozen=True, slots=True)
class Verdict:
    """A new version beside the one that was live, measured on the same held-out `lines`."""

    persona: str
    version: str
    compared_with: str
    measures: Sequence[Measure]
    lines: int

    @property
    def live(self) -> bool:
        """Whether the new version takes the other's place."""
        return all(measure.ok for measure in self.measures)

    @property
    def reasons(self) -> list[str]:
        """Why it does not; empty where it does."""
        return reasons(self.measures)

    @property
    def headline(self) -> str:
        """The outcome in a line."""
        outcome = "is live now" if self.live else f"stays off stage, {self.compared_with} plays on"
        return f"{self.persona}: {self.version} {outcome}"

    def rows(self) -> list[list[str]]:
        """A table: what was measured, old, new, by how much worse it may be, and whether it passes; a header first."""
        header = ["", self.compared_with, self.version, "may lose", ""]
        return [header, *(_row(measure) for measure in self.measures)]

    def as_json(self, picture: Path) -> dict[str, Any]:
        """The verdict for a program."""
        return {
            "version": self.version,
            "live": self.live,
            "compared_with": self.compared_with,
            "measures": [measure.as_json() for measure in self.measures],
            "reasons": self.reasons,
            "picture": str(picture),
        }

    def as_table(self) -> str:
        """The verdict for people."""
        rows = self.rows()
        widths = [max(COLUMN, *(len(row[place]) + 2 for row in rows)) for place in (1, 2, 3)]
        return "\n".join([*(_aligned(row, widths) for row in rows), *self.notes(), self.headline])

    def notes(self) -> list[str]:
        """How much was measured, and why the new version does not go live."""
        return [f"measured on {self.lines} held-out lines", *self.reasons]


def read_verdict(folder: Path) -> Verdict | None:
    """The verdict on a version, kept in its folder; None if there is none yet, ModelError if it cannot be read."""
    file = folder / VERDICT_FILE
    if not file.is_file():
        return None
    values = read_json(file)
    return Verdict(**values | {"measures": [Measure(**measure) for measure in values["measures"]]})


def write_verdict(verdict: Verdict, folder: Path) -> None:
    """Keep a verdict in the folder of its version."""
    write_json(folder / VERDICT_FILE, asdict(verdict))


def _row(measure: Measure) -> list[str]:
    arrow = "↓" if measure.better == "lower" else "↑"
    figures = [f"{value:.3f}" for value in (measure.old, measure.new, measure.tolerance)]
    return [f"{measure.name} {arrow}", *figures, "✓" if measure.ok else "✗"]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    label, *cells, mark = row
    figures = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{label:<{LABEL}}{''.join(figures)}  {mark}".rstrip()

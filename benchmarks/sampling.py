"""Which sampling settings serve a version best: python -m benchmarks.sampling EXAMPLES --persona ID [--out FILE]

Lets the version answer lines of the validation episodes as served, once for each combination of the settings, and
prints one row of measures for each, below those of the true answers; what they mean stands in `model.evaluation`.
There is no one best: look for a row that is near the true answers everywhere. The same seeds serve every row, so
differences are those of the settings, within the noise of so many answers.

`limit` is the share of answers that ran into the length limit, `open` that of last sentences left open, `redrawn` of
answers that took more than one draw, `at loss` of those where no draw would do; `within`, `across` and `dialogue` are
repetition within an answer, across answers and in a dialogue. With --out, everything is written as JSON, too.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from data_prep.schema import VALIDATION
from model.atomic import write_json
from model.engine import GenerationSettings
from model.errors import ModelError
from model.evaluation.assessment import AnswerFigures, Assessor
from model.evaluation.corpus import read_corpus
from model.evaluation.generation import Script, generate_answers
from model.store import DEFAULT_STORE, Store, Version

GRID: dict[str, list[float] | list[int]] = {
    "temperature": [0.3, 0.5, 0.7, 0.9],
    "top_p": [0.9],
    "repetition_penalty": [1.0, 1.1, 1.2],
    "max_new_tokens": [48],
}
SETTINGS_WIDTH, COLUMN = 28, 9


@dataclass(frozen=True, slots=True)
class Row:
    """One combination of settings (None: the true answers) and what it gave."""

    settings: GenerationSettings | None
    figures: AnswerFigures


MEASURES: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("words", lambda row: f"{row.figures.diversity.mean_words:.1f}"),
    ("limit", lambda row: _percent(row.figures.cut_off)),
    ("open", lambda row: _percent(row.figures.diversity.unfinished)),
    ("redrawn", lambda row: _percent(row.figures.redrawn)),
    ("at loss", lambda row: _percent(row.figures.at_a_loss)),
    ("within", lambda row: _percent(row.figures.diversity.repetition_within)),
    ("across", lambda row: _percent(row.figures.diversity.repetition_across)),
    ("dialogue", lambda row: _percent(row.figures.repetition_in_dialogue)),
    ("dist-2", lambda row: f"{row.figures.diversity.distinct_2:.3f}"),
    ("markup", lambda row: _percent(row.figures.leaks.markup)),
    ("copied", lambda row: _percent(row.figures.copying.share)),
    ("style", lambda row: f"{row.figures.style.mean_probability:.3f}"),
    ("topic", lambda row: f"{row.figures.topic.similarity:.3f}"),
    ("nearer", lambda row: _percent(row.figures.topic.nearer_to_own)),
)


def main() -> None:
    """Measure; print each row and write the file as it comes."""
    options = parse_options()
    store = Store(options.store)
    try:
        if options.limit < 1:
            raise ModelError(f"--limit is {options.limit}, but must be 1 or more")
        if options.out and not options.out.parent.is_dir():
            raise ModelError(f"--out is {options.out}, but there is no folder {options.out.parent}")
        version = store.get(options.persona, options.version) if options.version else store.live(options.persona)
        grid, rows = combinations(options), []
        print_header(version)
        for row in measure(version, options.examples, grid, options.limit):
            print_row(row)
            rows.append(asdict(row))
            if options.out:
                write_json(options.out, {"persona": options.persona, "version": version.name, "rows": rows})
    except ModelError as error:
        sys.exit(f"error: {error}")


def parse_options() -> argparse.Namespace:
    """The options; each setting takes several values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", type=Path, metavar="EXAMPLES", help="the folder that the version was trained on")
    parser.add_argument("--persona", required=True, metavar="ID")
    parser.add_argument("--version", metavar="NAME", help="default: the live one")
    parser.add_argument("--store", type=Path, default=DEFAULT_STORE, metavar="DIR")
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="lines to answer, and a tenth of dialogues")
    for name, values in GRID.items():
        kind = int if name == "max_new_tokens" else float
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, nargs="+", default=values, metavar="VALUE")
    parser.add_argument("--out", type=Path, metavar="FILE")
    return parser.parse_args()


def combinations(options: argparse.Namespace) -> list[GenerationSettings]:
    """Every combination of the chosen values; ModelError for one out of range."""
    chosen = product(*(getattr(options, name) for name in GRID))
    return [GenerationSettings(**dict(zip(GRID, values, strict=True))) for values in chosen]


def measure(version: Version, examples: Path, grid: Sequence[GenerationSettings], limit: int) -> Iterator[Row]:
    """The row of the true answers, then that of each combination."""
    corpus = read_corpus(examples, VALIDATION)
    assessor = Assessor(corpus, version.persona)
    script = Script.of(corpus.exchanges, limit)
    yield Row(None, assessor.assess(script.truths).figures)
    for number, settings in enumerate(grid, 1):
        progress = f"{number} of {len(grid)}"
        answers = generate_answers(version.engine_folder, version.persona, script, progress, settings)
        yield Row(settings, assessor.assess(answers).figures)


def print_header(version: Version) -> None:
    """What is measured, and the names of the columns."""
    print(f"{version.persona.id} {version.name}, validation episodes")
    print_cells("temp  top-p  penalty  tokens", [name for name, _ in MEASURES])


def print_row(row: Row) -> None:
    """One line of the table."""
    title = "true answers"
    if (of := row.settings) is not None:
        title = f"{of.temperature:4.2f}  {of.top_p:5.2f}  {of.repetition_penalty:7.2f}  {of.max_new_tokens:6}"
    print_cells(title, [show(row) for _, show in MEASURES])


def print_cells(title: str, cells: Sequence[str]) -> None:
    """A line, at once: a row takes a while."""
    print(f"{title:<{SETTINGS_WIDTH}}", *(f"{cell:>{COLUMN}}" for cell in cells), sep="", flush=True)


def _percent(number: float) -> str:
    return f"{100 * number:.1f} %"


if __name__ == "__main__":
    main()

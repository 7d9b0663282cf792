"""An evaluation as one page that needs no other file: figures, plots, what was said, and what was copied."""

from pathlib import Path
from typing import Any

import jinja2

from model.atomic import write_text
from model.evaluation.charts import draw_lengths, draw_ranks, draw_shares
from model.evaluation.comparison import Comparison
from model.evaluation.generation import Answer, by_dialogue
from model.evaluation.results import Evidence
from model.examples import spread

TEMPLATE = "report.html.j2"
SAMPLES = 16
DIALOGUES = 2


def write_report(file: Path, comparison: Comparison) -> None:
    """Replace the file with the page, or make it."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    evaluation, shown = comparison.evaluation, comparison.tuned or comparison.base
    page = environment.get_template(TEMPLATE).render(
        evaluation=evaluation,
        name="base" if comparison.tuned is None else evaluation.version,
        charts=draw_charts(comparison),
        samples=_samples(comparison),
        dialogues=by_dialogue(shown.assessed.answers)[:DIALOGUES],
        nearest=shown.assessed.figures.copying.nearest,
    )
    write_text(file, page)


def draw_charts(comparison: Comparison) -> dict[str, str]:
    """The four plots as SVG."""
    models = {"base": comparison.base, **({"version": comparison.tuned} if comparison.tuned else {})}
    answers = {name: evidence.assessed for name, evidence in models.items()} | {"true answers": comparison.truths}
    styles = {name: assessed.styles for name, assessed in answers.items()}
    similarities = {name: assessed.similarities for name, assessed in answers.items()}
    candidates = comparison.evaluation.base.ranking.candidates
    return {
        "lengths": draw_lengths({name: [a.text for a in assessed.answers] for name, assessed in answers.items()}),
        "ranks": draw_ranks({name: evidence.ranks for name, evidence in models.items()}, candidates),
        "style": draw_shares(
            styles | {"everyone else": comparison.styles_of_others}, "p(character | answer), by the classifier", "style"
        ),
        "topic": draw_shares(
            similarities | {"shuffled": comparison.truths.shuffled}, "cosine of question and answer", "topic"
        ),
    }


def _samples(comparison: Comparison) -> list[dict[str, Any]]:
    """Single answers of both models, spread evenly over the held-out episodes; nobody chose them."""
    base = _singles(comparison.base)
    tuned = _singles(comparison.tuned) if comparison.tuned else [None] * len(base)
    pairs = spread(list(zip(base, tuned, strict=True)), SAMPLES)
    return [{"context": own.context, "truth": own.truth, "base": own, "tuned": other} for own, other in pairs]


def _singles(evidence: Evidence) -> list[Answer]:
    return [answer for answer in evidence.assessed.answers if answer.dialogue is None]

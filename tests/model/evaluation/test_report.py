"""The page: everything on it is there, and nothing that a script or a model says becomes markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from model.evaluation.assessment import Assessed, Assessor
from model.evaluation.comparison import Comparison
from model.evaluation.corpus import read_corpus
from model.evaluation.generation import Answer, Script
from model.evaluation.ranking import summarise
from model.evaluation.report import write_report
from model.evaluation.results import Evaluation, Evidence, Figures, Reference
from model.persona import Persona
from model.prompt import Turn

HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def comparison(examples_folder: Path) -> Comparison:
    """The evaluation of a version that answers as markup would, and of a base that echoes."""
    corpus = read_corpus(examples_folder, "test")
    assessor = Assessor(corpus, Persona("dwight", "Dwight"))
    truths = Script.of(corpus.exchanges, 5).truths
    dialogue = [replace(answer, dialogue=0) for answer in truths[:3]]
    echoes = assessor.assess([replace(answer, text=answer.question) for answer in [*truths, *dialogue]])
    strange = [replace(answer, context=(Turn(HOSTILE, "Who?", False),), text=HOSTILE) for answer in truths]
    marked = assessor.assess([*strange, *dialogue])
    evaluation = Evaluation(
        "dwight",
        HOSTILE,
        "test",
        base=figures(echoes),
        tuned=figures(marked),
        reference=Reference(assessor.assess(truths).figures, assessor.classification()),
    )
    base, tuned = (Evidence([1, 2, 3, 4, 5], assessed) for assessed in (echoes, marked))
    return Comparison(evaluation, base, tuned, assessor.assess(truths), assessor.styles_of_others())


def figures(assessed: Assessed) -> Figures:
    return Figures(5, 40, 12.5, 1.25, summarise([1, 2, 3, 4, 5], 8), assessed.figures)


class Page(HTMLParser):
    """Counts tags and collects text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data.strip())


def test_the_page_holds_figures_plots_answers_and_copies(comparison: Comparison, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", comparison)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    for row in comparison.evaluation.rows():
        assert set(row) <= set(page.text)
    assert page.tags.count("svg") == 4
    answers: list[Answer] = comparison.base.assessed.answers
    assert {answers[0].question, answers[0].truth, "What they say"} <= set(page.text)
    assert [text for text in page.text if text.startswith("Dialogues with")]
    assert [text for text in page.text if text.startswith("Nearest to the training lines")]
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]


def test_what_is_said_never_becomes_markup(comparison: Comparison, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", comparison)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) > 5


def test_the_page_fetches_nothing_and_its_ids_are_unique(comparison: Comparison, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", comparison)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', text)
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids)) > 0
    assert set(re.findall(r'(?:xlink:href="#|url\(#)([^")]*)', text)) <= set(ids)


def test_a_version_that_is_its_base_has_a_page_of_its_own(comparison: Comparison, tmp_path: Path) -> None:
    evaluation = replace(comparison.evaluation, version="shipped", tuned=None)
    write_report(tmp_path / "report.html", replace(comparison, evaluation=evaluation, tuned=None))
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert [text for text in page.text if text.startswith("Nothing is tuned")]
    assert "Dialogues with base" in page.text
    assert evaluation.as_table().endswith("shipped has no adapter or weights of its own: it is its base")

"""Whether Lisa knows who she is: python -m benchmarks.quiz EXAMPLES --persona lisa [--version NAME] [--samples 5]

Asks the questions of `quiz.toml` as served, each with several seeds, and prints for every fact the share of right
answers of the base with the same card and of the version. Perplexity hardly sees such things: the few words that
carry a fact drown among all others. What this hides: a right word may stand in a wrong sentence.

Questions that stand word for word in the training episodes of EXAMPLES are counted apart.
"""

import argparse
import re
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_prep.schema import QA_PAIRS, TRAIN
from model.errors import ModelError
from model.evaluation.corpus import Exchange
from model.evaluation.generation import Script, generate_answers
from model.examples import read_rows
from model.export import export
from model.prompt import Turn
from model.store import DEFAULT_STORE, Store, Version
from model.zoo import base_folder

QUESTIONS = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Question:
    """One wording of a question, what makes its answer right, and whether training has these words."""

    text: str
    right: re.Pattern[str]
    wrong: re.Pattern[str]
    trained: bool

    def accepts(self, answer: str) -> bool:
        """Whether an answer is right."""
        return bool(self.right.search(answer)) and not self.wrong.search(answer)


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", type=Path, metavar="EXAMPLES", help="the folder that the version was trained on")
    parser.add_argument("--persona", required=True, metavar="ID")
    parser.add_argument("--version", metavar="NAME", help="default: the live one")
    parser.add_argument("--store", type=Path, default=DEFAULT_STORE, metavar="DIR")
    parser.add_argument("--samples", type=int, default=5, metavar="N", help="answers to each question")
    parser.add_argument("--show", action="store_true", help="print the version's wrong answers, too")
    options = parser.parse_args()
    try:
        store = Store(options.store)
        version = store.get(options.persona, options.version) if options.version else store.live(options.persona)
        run(version, read_questions(options.examples), options.samples, options.show)
    except ModelError as error:
        sys.exit(f"error: {error}")


def read_questions(examples: Path) -> list[Question]:
    """The wordings of all questions, in order."""
    rows = read_rows(examples / QA_PAIRS, ("context", "split"))
    trained = {_plain(line) for row in rows if row["split"] == TRAIN for line in row["context"]}
    return [
        Question(
            text, re.compile(of["right"], re.I), re.compile(of.get("wrong", "(?!)"), re.I), _plain(text) in trained
        )
        for of in tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))["questions"]
        for text in of["ask"]
    ]


def _plain(line: str) -> str:
    return " ".join(re.findall(r"\w+", line.lower()))


def run(version: Version, questions: Sequence[Question], samples: int, show: bool) -> None:
    """Print the table of the base and the version."""
    script = Script(
        [Exchange((Turn("Visitor", of.text, False),), "", 0) for of in questions for _ in range(samples)], []
    )
    with tempfile.TemporaryDirectory() as scratch:
        export(base_folder(version.base), Path(scratch) / "engine")
        base = [answer.text for answer in generate_answers(Path(scratch) / "engine", version.persona, script, "base")]
    own = [answer.text for answer in generate_answers(version.engine_folder, version.persona, script, version.name)]
    print(f"| asked | base | {version.name} |\n| --- | --- | --- |")
    for place, of in enumerate(questions):
        mine = slice(place * samples, (place + 1) * samples)
        print(f"| {of.text} | {right(of, base[mine])} of {samples} | {right(of, own[mine])} of {samples} |")
        if show:
            for answer in own[mine]:
                if not of.accepts(answer):
                    print(f"| wrong: {answer} | | |")
    for title, trained in (("words that training has", True), ("words of their own", False)):
        asked = [n for n, of in enumerate(questions) if of.trained is trained]
        shares = [_share(questions, answers, asked, samples) for answers in (base, own)]
        print(f"| **{len(asked)} questions in {title}** | {shares[0]} | {shares[1]} |")


def _share(questions: Sequence[Question], answers: Sequence[str], asked: Sequence[int], samples: int) -> str:
    good = sum(right(questions[n], answers[n * samples : (n + 1) * samples]) for n in asked)
    return f"{100 * good / max(1, samples * len(asked)):.0f} %"


def right(question: Question, answers: Sequence[str]) -> int:
    """How many of the answers are right."""
    return sum(map(question.accepts, answers))


if __name__ == "__main__":
    main()

"""What two versions are compared on: the same lines, none of which the live one has learned."""

from pathlib import Path

import pytest

from model.errors import ModelError
from model.evaluation.corpus import read_corpus
from model.examples import hash_examples
from model.retraining.measures import Bench
from model.sources import ScriptLine, write_sources
from model.store import SOURCES, Version


def trained_on(folder: Path, *texts: str, sha256: str = "") -> Version:
    """A version that has learned these lines of the character's, and a stranger's."""
    lines = [ScriptLine("Dwight Schrute", text, "1", "", 1, True) for text in texts]
    write_sources([*lines, ScriptLine("Jim", "Fact. hay are the best.", "1", "", 1, False)], folder / SOURCES)
    return Version(folder, {"data": {"examples_sha256": sha256}})


def test_what_the_live_version_has_learned_from_another_script_is_left_out(
    examples_folder: Path, tmp_path: Path
) -> None:
    held_out = [exchange.answer for exchange in read_corpus(examples_folder, "test").exchanges]
    live = trained_on(tmp_path, "FACT: " + held_out[0].removeprefix("Fact. "))
    assert 0 < held_out.count(held_out[0]) < len(held_out)
    assert Bench(examples_folder, live, 100).lines == len(held_out) - held_out.count(held_out[0])


def test_where_both_learn_from_the_same_script_every_held_out_line_counts_up_to_the_limit(
    examples_folder: Path, tmp_path: Path
) -> None:
    held_out = [exchange.answer for exchange in read_corpus(examples_folder, "test").exchanges]
    live = trained_on(tmp_path, *held_out, sha256=hash_examples(examples_folder))
    assert Bench(examples_folder, live, 100).lines == len(held_out)
    assert Bench(examples_folder, live, 3).lines == 3


def test_a_script_whose_held_out_lines_are_all_known_cannot_tell_which_version_is_better(
    examples_folder: Path, tmp_path: Path
) -> None:
    held_out = [exchange.answer for exchange in read_corpus(examples_folder, "test").exchanges]
    with pytest.raises(ModelError, match="has learned every line that is held out, so nothing can tell"):
        Bench(examples_folder, trained_on(tmp_path, *held_out), 100)


def test_true_answers_that_are_said_again_are_counted_from_the_second_time_on(
    examples_folder: Path, tmp_path: Path
) -> None:
    held_out = [exchange.answer for exchange in read_corpus(examples_folder, "test").exchanges]
    bench = Bench(examples_folder, trained_on(tmp_path), 100)
    assert sum(bench.true_answers().stock.counts) == len(held_out) - len(set(held_out)) > 0

"""The command that compares a version with its base."""

import json
from pathlib import Path

import pytest

from model.__main__ import main


@pytest.fixture(scope="module")
def store(examples_folder: Path, llama_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated")
    options = ["--learning-rate", "5e-3", "--epochs", "2", "--store", str(folder), "--eval-every", "24"]
    paths = ["--examples", str(examples_folder), "--base", str(llama_base)]
    assert main(["train", "--persona", "dwight", *paths, *options]) == 0
    return folder


def test_a_tuned_version_is_compared_with_its_base_on_the_test_episodes(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--persona", "dwight", "--store", str(store), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["persona"], result["version"], result["split"]) == ("dwight", "v1", "test")
    assert result["base"]["examples"] == result["tuned"]["examples"] == 12
    assert result["tuned"]["perplexity"] < 0.5 * result["base"]["perplexity"]
    assert result["tuned"]["bits_per_character"] < result["base"]["bits_per_character"]


def test_the_table_shows_base_and_version(
    store: Path, examples_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--version", "v1", "--examples", str(examples_folder), "--split", "validation", "--limit", "5"]
    assert main(["evaluate", "--persona", "dwight", "--store", str(store), *options]) == 0
    header, *rows, amounts, classifier = capsys.readouterr().out.splitlines()
    assert header.split() == ["base", "v1", "true", "answers"]
    cells = {row[:34].strip(): row[34:].split() for row in rows}
    base, tuned = map(float, cells["perplexity"])
    assert tuned < base
    assert cells["leaked markup"][-2:] == ["0.0", "%"]
    assert amounts.startswith("dwight v1, validation episodes: 5 answers of ")
    assert "5 contexts with 4 candidates" in amounts
    assert classifier.startswith("style classifier on held-out real lines: AUC ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--version", "v7"], "has no version 'v7'"),
        (["--limit", "-1"], "--limit is -1"),
        (["--examples", "nowhere"], "target_char_qa_pairs.parquet cannot be read"),
        (["--persona", "jim"], "no persona 'jim'"),
    ],
)
def test_a_mistake_ends_in_one_line(
    options: list[str], message: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--persona", "dwight", "--store", str(store), *options]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert message in line

"""The command that compares a version with its base."""

import json
import sys
from pathlib import Path

import pytest

from model.__main__ import main
from model.evaluation.comparison import count_characters
from model.persona import Persona, write_persona
from model.prompt import Prompt
from model.store import Store


@pytest.fixture(scope="module")
def store(examples_folder: Path, llama_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated")
    options = ["--learning-rate", "5e-3", "--epochs", "2", "--store", str(folder), "--eval-every", "24"]
    paths = ["--examples", str(examples_folder), "--base", str(llama_base)]
    assert main(["train", "--persona", "dwight", *paths, *options]) == 0
    return folder


def test_a_tuned_version_is_compared_with_its_base_on_the_test_episodes(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    options = ["--limit", "10", "--json", "--report", str(page)]
    assert main(["evaluate", "--persona", "dwight", "--store", str(store), *options]) == 0
    result = json.loads(capsys.readouterr().out)
    base, tuned, true = result["base"], result["tuned"], result["reference"]["true_answers"]
    assert (result["persona"], result["version"], result["split"]) == ("dwight", "v1", "test")
    assert base["examples"] == tuned["examples"] == base["generated"]["answers"] == 10
    assert tuned["perplexity"] < 0.5 * base["perplexity"]
    assert tuned["bits_per_character"] < base["bits_per_character"]
    # What the fixture teaches: four words, always in the same form, which nonsense is not.
    assert true["diversity"]["mean_words"] == 5
    assert abs(tuned["generated"]["diversity"]["mean_words"] - 5) < abs(
        base["generated"]["diversity"]["mean_words"] - 5
    )
    assert tuned["generated"]["style"]["mean_probability"] > base["generated"]["style"]["mean_probability"]
    assert result["reference"]["classifier"]["auc"] == 1
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


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
        (["--examples", "nowhere"], "target_char_qa_pairs.parquet does not exist: prepare the script again"),
        (["--persona", "jim"], "no persona 'jim'"),
        (["--report", "nowhere/report.html"], "must be a file in a folder that exists"),
    ],
)
def test_a_mistake_ends_in_one_line(
    options: list[str], message: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--persona", "dwight", "--store", str(store), *options]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert message in line


def test_a_version_that_is_its_base_is_measured_once(
    examples_folder: Path, llama_base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    write_persona(Persona("dwight", "Dwight Schrute"), run / "persona.toml")
    (run / "training.json").write_text(json.dumps({"base": str(llama_base), "method": "none"}), encoding="utf-8")
    Store(tmp_path / "store").add("dwight", run)
    command = ["evaluate", "--persona", "dwight", "--store", str(tmp_path / "store"), "--limit", "2"]
    assert main([*command, "--examples", str(examples_folder)]) == 0
    table = capsys.readouterr().out
    assert table.splitlines()[0].split() == ["base", "true", "answers"]
    assert table.endswith("v1 has no adapter or weights of its own: it is its base\n")


def test_characters_are_those_of_the_text_without_the_closing_token(gpt2_base: Path) -> None:
    prompt = Prompt.from_folder(gpt2_base)
    examples = [prompt.encode_example([], text, 64) for text in ("Fact.", "Bears!")]
    assert count_characters(prompt, examples) == len("Fact.") + len("Bears!")


def test_a_missing_library_gets_one_line_before_any_work(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    assert main(["evaluate", "--persona", "dwight", "--store", str(store)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: this needs sklearn.feature_extraction.text, which `make install-dev` installs"
    ]

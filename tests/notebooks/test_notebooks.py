"""The notebooks run from the first cell to the last, and what is saved with them is what they show."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from data_prep.preparation import Request, prepare
from model.persona import Persona, write_persona
from model.store import Store
from tests.model.conftest import make_tiny_llama

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "data_prep" / "demo" / "springfield_script_lines.csv"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PREPARE, TUNE, TALK = NOTEBOOKS
ABSOLUTE_PATH = re.compile(r"(?<![\w:/.<])/[\w.-]+/|\b[A-Z]:\\")
LINK = re.compile(r"\]\(([^):#]+)\)")


@pytest.fixture(autouse=True)
def private_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Jupyter, IPython and their kernel write goes to the test's own folder; models this small want one thread."""
    for key in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(key, str(tmp_path / key.lower()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def read(file: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def parameters(notebook: NotebookNode) -> dict[str, Any]:
    """The settings in a notebook's first cell of code."""
    settings: dict[str, Any] = {}
    exec(code_cells(notebook)[0].source, settings)
    return {name: value for name, value in settings.items() if name.isupper()}


async def run(file: Path, **settings: Any) -> NotebookNode:
    """Execute a notebook in its own folder, as Jupyter does, with other settings; a cell that fails raises."""
    notebook = read(file)
    first = code_cells(notebook)[0]
    assert set(settings) <= set(parameters(notebook))
    first.source += "".join(f"\n{name} = {value!r}" for name, value in settings.items())
    await NotebookClient(
        notebook, timeout=240, record_timing=False, resources={"metadata": {"path": str(file.parent)}}
    ).async_execute()
    return notebook


def texts(notebook: NotebookNode) -> str:
    """All that a notebook prints or shows as text."""
    shown = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs(notebook)]
    return "\n".join(shown)


def pictures(notebook: NotebookNode) -> Iterator[bytes]:
    """The PNG files that a notebook shows."""
    for output in outputs(notebook):
        if picture := output.get("data", {}).get("image/png"):
            yield b64decode(picture)


async def test_preparing_shows_rows_counts_charts_windows_and_the_split(tmp_path: Path) -> None:
    folder = tmp_path / "lisa"
    notebook = await run(PREPARE, EXAMPLES=str(folder))
    counts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["counts"]
    shown = texts(notebook)
    for name in ("rows_read", "rows_kept", "spoken_lines", "target_pairs"):
        assert re.search(rf"^{name}\s+{counts[name]}$", shown, re.MULTILINE), name
    for split, of in counts["splits"].items():
        assert re.search(rf"^{split}\s+\d+\s+{of['target_pairs']}$", shown, re.MULTILINE), split
    assert shown.count("  -> Lisa Simpson: ") == 3
    assert "Episodes in more than one split: 0" in shown
    charts = [(folder / "charts" / name).read_bytes() for name in ("answers.png", "episodes.png")]
    assert list(pictures(notebook)) == charts


def beginning_of_script(folder: Path) -> Path:
    """The first sixth of the script: a few steps of training need no more."""
    file = folder / "script.csv"
    rows = SCRIPT.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(rows[: len(rows) // 6]), encoding="utf-8")
    return file


async def test_fine_tuning_shows_the_loss_the_comparison_with_the_base_and_answers(tmp_path: Path) -> None:
    prepare(Request(beginning_of_script(tmp_path), "lisa simpson", tmp_path / "lisa"))
    make_tiny_llama(tmp_path / "base")
    store = tmp_path / "models"
    card = tmp_path / "card.toml"
    write_persona(Persona("tiny", "Lisa Simpson", card="You are Lisa."), card)  # the tiny vocabulary has no words
    paths = {"EXAMPLES": str(tmp_path / "lisa"), "BASE": str(tmp_path / "base"), "STORE": str(store), "CARD": str(card)}
    notebook = await run(TUNE, **paths, PERSONA="tiny", STEPS=10, HELD_OUT=4)
    shown = texts(notebook)
    assert "tiny v1: 10 steps" in shown
    assert list(pictures(notebook)) == [(store / "tiny" / "v1" / "loss.png").read_bytes()]
    perplexities = re.search(r"^perplexity +([\d.]+) +([\d.]+) *$", shown, re.MULTILINE)
    assert perplexities
    assert float(perplexities[2]) < float(perplexities[1])
    assert re.search(r"^tiny v1, test episodes: 4 answers", shown, re.MULTILINE)
    assert len(re.findall(r"^You: .+\nLisa: .+$", shown, re.MULTILINE)) == 3
    assert not [output for output in outputs(notebook) if output.get("name") == "stderr"], "progress bars are cleared"


async def test_talking_shows_an_answer_to_every_message_and_stops_the_bot(tmp_path: Path) -> None:
    store = store_with_tiny(tmp_path)
    notebook = await run(TALK, PERSONA="tiny", STORE=str(store), WORK=str(tmp_path / "work"))
    shown = texts(notebook)
    said = re.findall(r"^Alex: (.+)\nTiny: (.+)$", shown, re.MULTILINE)
    assert [text for text, _ in said] == re.findall("^Alex: (.+)$", shown, re.MULTILINE)
    answers = dict(said)
    assert answers["/start"] == "Hi, I'm Tiny."
    assert "forgotten" in answers["/reset"]
    assert {"Hi Lisa! I'm Alex.", "/ask Who is your brother?"} <= set(answers)
    assert "The bot has ended with status 0." in shown
    assert "Traceback" not in (tmp_path / "work" / "bot.log").read_text(encoding="utf-8")
    assert list((tmp_path / "work" / "var").iterdir()) == []


def store_with_tiny(folder: Path) -> Path:
    """A store with a character of two layers, who never learned to speak."""
    run_folder = folder / "run"
    make_tiny_llama(run_folder / "weights")
    card = Persona("tiny", "Tiny", card="You are Tiny.", greeting="Hi, I'm Tiny.")
    write_persona(card, run_folder / "persona.toml")
    (run_folder / "training.json").write_text(json.dumps({"base": "none", "method": "full"}), encoding="utf-8")
    Store(folder / "store").add("tiny", run_folder)
    return folder / "store"


def test_each_notebook_begins_where_the_one_before_it_ends() -> None:
    prepared, tuned = parameters(read(PREPARE)), parameters(read(TUNE))
    assert (ROOT / prepared["SCRIPT"]) == SCRIPT
    assert prepared["EXAMPLES"] == tuned["EXAMPLES"]
    named = code_cells(read(TALK))[0].source
    assert f'"{tuned["PERSONA"]}"' in named
    assert f'"{tuned["STORE"]}"' in named


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_is_saved_as_it_ran_from_top_to_bottom(file: Path) -> None:
    notebook = read(file)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert cells[0].metadata.get("tags") == ["parameters"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all("execution" not in cell.metadata for cell in cells), "times of a run make a diff of every run"
    kinds = {(output.output_type, output.get("name", "stdout")) for output in outputs(notebook)}
    assert kinds <= {("stream", "stdout"), ("execute_result", "stdout"), ("display_data", "stdout")}


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_no_saved_output_names_a_folder_of_the_machine_that_it_ran_on(file: Path) -> None:
    shown = texts(read(file))
    assert len(shown) > 500
    assert (
        ABSOLUTE_PATH.findall(
            shown + json.dumps([output.get("data", {}).get("text/html") for output in outputs(read(file))])
        )
        == []
    )


@pytest.mark.parametrize("path", ["Written to /root/x", "'/home/me/var'", "at C:\\Users", "(/tmp/a/b)"])
def test_a_folder_of_a_machine_is_recognised(path: str) -> None:
    assert ABSOLUTE_PATH.search(path)


def test_plots_are_saved_with_the_notebooks_that_have_them() -> None:
    saved = [list(pictures(read(file))) for file in NOTEBOOKS]
    assert [len(found) for found in saved] == [2, 1, 0]
    assert all(picture.startswith(b"\x89PNG") for found in saved for picture in found)


def test_links_between_the_notebooks_lead_somewhere() -> None:
    cells = [(file, cell.source) for file in NOTEBOOKS for cell in read(file).cells if cell.cell_type == "markdown"]
    links = [(file, link) for file, source in cells for link in LINK.findall(source)]
    assert len(links) >= 4
    assert [link for file, link in links if not (file.parent / link).exists()] == []

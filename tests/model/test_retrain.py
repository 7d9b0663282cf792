"""Retraining over real processes: what is no worse goes live, what is worse does not, and a kill costs little."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from data_prep.schema import TARGET_PAIRS
from model.__main__ import main
from model.metrics import read_metrics
from model.store import Store

THINGS = ("beets", "bears", "hay", "swords", "goats", "paper")
# Three words: an answer so short is no sign that a version has learned the line that is held out.
LINES = {
    "Do you like {}, Dwight?": "Of course, idiot.",
    "What do you know about {}?": "Read the manual.",
    "Tell me about {}.": "False. Black bear.",
    "Who needs {} anyway?": "Strong men do.",
}
COLUMNS = "speaker=Who,text=Line,episode=Episode"
EPISODES = 20
QUICK = ("--batch-size", "8", "--learning-rate", "5e-3", "--log-every", "1", "--eval-every", "6", "--patience", "0")
FEW = ("--items", "20")

Events = list[dict[str, Any]]


def write_script(file: Path) -> Path:
    """A script in which a Dwight of few words answers each kind of question in one way."""
    lines = ["Who,Line,Episode"]
    for episode in range(EPISODES):
        for number, (question, answer) in enumerate(LINES.items()):
            thing = THINGS[(episode + number) % len(THINGS)]
            lines += [f'Jim,"{question.format(thing)}",{episode}', f'Dwight,"{answer}",{episode}']
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_script(tmp_path_factory.mktemp("script") / "office.csv")


@pytest.fixture(scope="module")
def examples(script: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "dwight"
    command = [sys.executable, "-m", "data_prep", str(script), "--character", "Dwight", "--columns", COLUMNS]
    subprocess.run([*command, "--out", str(folder), "--json"], check=True, capture_output=True)
    return folder


Live = Callable[[str], Path]


@pytest.fixture(scope="module")
def trained(examples: Path, llama_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Live:
    """Stores with a live v1, trained once for so many epochs."""

    @cache
    def train(epochs: str) -> Path:
        store = tmp_path_factory.mktemp("trained") / "store"
        paths = ["--examples", str(examples), "--base", str(llama_base), "--store", str(store)]
        assert main(["train", "--persona", "dwight", *paths, *QUICK, "--epochs", epochs]) == 0
        return store

    return train


@pytest.fixture
def live(trained: Live, tmp_path: Path) -> Live:
    """Makes a store of the test's own with a live v1, trained for so many epochs."""
    return lambda epochs: Path(shutil.copytree(trained(epochs), tmp_path / "store"))


# At the lowest priority it would wait for whatever else this machine is doing, the other tests above all.
AT_FULL_SPEED = """
import sys, model.retrain, model.__main__
model.retrain._step_back = lambda: None
sys.exit(model.__main__.main())
"""


def command(store: Path, *options: str) -> list[str]:
    place = ["--persona", "dwight", "--store", str(store)]
    return [sys.executable, "-c", AT_FULL_SPEED, "retrain", *place, "--json", *options]


def retrain(store: Path, *options: str) -> Events:
    """Retrain in a process of its own; the events that it prints."""
    result = subprocess.run(command(store, *options), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def start(store: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(command(store, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def event(process: "subprocess.Popen[str]", **wanted: object) -> dict[str, Any]:
    """Wait until the process tells an event like this."""
    assert process.stdout is not None
    for line in process.stdout:
        told: dict[str, Any] = json.loads(line)
        if wanted.items() <= told.items():
            return told
    raise AssertionError(process.communicate()[1])


def measures(verdict: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {measure["name"]: measure for measure in verdict["measures"]}


def of_version(store: Path, name: str) -> dict[str, Any]:
    return Store(store).get("dwight", name).manifest


def test_a_better_version_goes_live_with_a_new_script_and_lessons(live: Live, script: Path, tmp_path: Path) -> None:
    store = live("0.1")
    asked = {"speaker": "Ann", "text": "Are you a bear?", "is_character": False}
    held_out = asked | {"text": "Who are you?"}
    lessons = [{"context": [asked], "answer": "Maybe."}, {"context": [held_out], "answer": "Dwight."}]
    (tmp_path / "lessons.jsonl").write_text("".join(json.dumps(lesson) + "\n" for lesson in lessons), encoding="utf-8")
    learn = ["--script", str(script), "--character", "dwight", "--columns", COLUMNS]
    told = retrain(store, *learn, "--lessons", str(tmp_path / "lessons.jsonl"), *FEW, "--epochs", "6")
    first, *progress, verdict = told
    assert (first["event"], first["persona"], first["live"]) == ("started", "dwight", "v1")
    assert {one["event"] for one in progress} == {"progress"}
    assert [one["stage"] for one in progress] == sorted(
        (one["stage"] for one in progress), key=["prepare", "train", "evaluate"].index
    )
    assert all(0 <= one["done"] <= one["total"] for one in progress)
    assert (verdict["version"], verdict["live"], verdict["compared_with"]) == ("v2", True, "v1")
    assert verdict["reasons"] == []
    perplexity = measures(verdict)["perplexity"]
    assert perplexity["new"] < 0.5 * perplexity["old"]
    assert Store(store).live_name("dwight") == "v2"
    assert Path(verdict["picture"]).read_bytes().startswith(b"\x89PNG")
    assert of_version(store, "v2")["data"]["lessons"] == 2
    # What the script was made into is there for the next time, and nothing else is left.
    assert Path(of_version(store, "v2")["settings"]["examples"]).is_dir()
    assert list((store / "dwight" / ".retrains").iterdir()) == []


def scrambled(examples: Path, target: Path) -> Path:
    """The same show, but in the training episodes the character answers the next question, backwards."""
    import pyarrow.parquet

    shutil.copytree(examples, target)
    rows = pyarrow.parquet.read_table(target / TARGET_PAIRS).to_pylist()
    learned = [row for row in rows if row["split"] != "test"]
    answers = [" ".join(reversed(row["answer"].split())) for row in learned]
    for row, answer in zip(learned, answers[1:] + answers[:1], strict=True):
        row["answer"] = answer
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), target / TARGET_PAIRS)
    return target


def test_a_worse_version_stays_off_stage_and_says_why(live: Live, examples: Path, tmp_path: Path) -> None:
    store = live("6")
    nonsense = scrambled(examples, tmp_path / "nonsense")
    *_, verdict = retrain(store, "--examples", str(nonsense), *FEW, "--epochs", "2")
    assert (verdict["version"], verdict["live"], verdict["compared_with"]) == ("v2", False, "v1")
    assert not measures(verdict)["perplexity"]["ok"]
    assert verdict["reasons"][0].startswith("perplexity: ")
    assert Store(store).live_name("dwight") == "v1"
    assert Store(store).names("dwight") == ["v1", "v2"]
    kept = json.loads((store / "dwight" / "v2" / "verdict.json").read_text(encoding="utf-8"))
    assert [measure["name"] for measure in kept["measures"]] == [measure["name"] for measure in verdict["measures"]]


def steps(store: Path) -> list[int]:
    (run,) = (store / "dwight" / ".retrains").iterdir()
    return [record["step"] for record in read_metrics(run / "version" / "metrics.jsonl")]


def test_a_killed_retraining_goes_on_where_it_was(live: Live) -> None:
    store = live("4")
    process = start(store, *FEW, "--epochs", "6")
    event(process, event="progress", stage="train")
    while not any(step > 7 for step in steps(store)):
        assert process.poll() is None, process.communicate()[1]
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    (run,) = (store / "dwight" / ".retrains").iterdir()
    started, first, *_, verdict = retrain(store, "--resume", *FEW)
    assert started["run"] == run.name
    assert (verdict["version"], verdict["compared_with"]) == ("v2", "v1")
    assert of_version(store, "v2")["settings"]["epochs"] == 6
    told = [
        record["step"]
        for record in read_metrics(store / "dwight" / "v2" / "metrics.jsonl")
        if "tokens_per_second" in record
    ]
    assert told == list(range(1, told[-1] + 1))
    assert first["stage"] in ("prepare", "train")


def test_one_that_is_killed_while_it_is_measured_is_not_trained_again(live: Live) -> None:
    store = live("2")
    process = start(store, *FEW, "--epochs", "2")
    event(process, event="progress", stage="evaluate")
    process.kill()
    process.communicate()
    assert Store(store).live_name("dwight") == "v1"
    told = retrain(store, "--resume", *FEW)
    assert "train" not in {one.get("stage") for one in told}
    assert told[-1]["version"] == "v2"
    assert Store(store).names("dwight") == ["v1", "v2"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_with_a_line_that_says_how_to_go_on(number: signal.Signals, live: Live) -> None:
    store = live("0.1")
    process = start(store, *FEW, "--epochs", "50")
    event(process, event="progress", stage="train")
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == 130
    resume = f"python -m model retrain --persona dwight --resume --store {store}"
    assert errors.splitlines() == [f"stopped; go on with: {resume}"]
    (run,) = (store / "dwight" / ".retrains").iterdir()
    last_step = read_metrics(run / "version" / "metrics.jsonl")[-1]["step"]
    assert (run / "checkpoints" / f"checkpoint-{last_step}" / "trainer_state.json").is_file()
    assert Store(store).names("dwight") == ["v1"]


def test_it_stops_with_a_checkpoint_when_nobody_reads_what_it_says_any_more(live: Live) -> None:
    store = live("0.1")
    process = start(store, *FEW, "--epochs", "50")
    event(process, event="progress", stage="train")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    assert process.wait() == 130
    assert errors.startswith("stopped; go on with: ")
    process.stderr.close()


def test_a_second_retraining_is_refused_while_one_is_at_work(live: Live) -> None:
    store = live("0.1")
    process = start(store, *FEW, "--epochs", "50")
    event(process, event="progress", stage="train")
    second = subprocess.run(command(store), capture_output=True, text=True, check=False)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == f"error: another retraining is at work in {store}; one at a time\n"
    process.kill()
    process.communicate()


def test_people_see_a_table_and_older_versions_are_cleared_away(
    live: Live, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("model.retrain._step_back", lambda: None)  # of this process it could not be taken back
    store = live("0.1")
    for _ in range(2):
        Store(store).add("dwight", store / "dwight" / "v1")
    capsys.readouterr()
    options = ["--persona", "dwight", "--store", str(store), *FEW, "--epochs", "6", "--keep", "1"]
    assert main(["retrain", *options]) == 0
    header, *rows, amount, headline, picture = capsys.readouterr().out.splitlines()[1:]
    assert header.split() == ["v3", "v4", "may", "lose"]
    assert [row.split()[-1] for row in rows] == ["✓"] * 5
    assert (amount, headline) == ("measured on 8 held-out lines", "dwight: v4 is live now")
    assert Path(picture).is_file()
    assert Store(store).names("dwight") == ["v3", "v4"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--persona", "jim"], "no persona 'jim' in "),
        (["--items", "1"], "--items is 1, but must be 2 to 200"),
        (["--keep", "-1"], "--keep is -1, but must be 0 or more"),
        (["--script", "a.csv", "--examples", "b"], "--script and --examples are two ways to say what to learn"),
        (["--script", "nowhere.csv"], "nowhere.csv"),
        (["--lessons", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["--examples", "nowhere"], "nowhere"),
        (["--batch-size", "0"], "--batch-size is 0, but must be at least 1"),
        (["--resume"], "holds no unfinished retraining of 'dwight'"),
        ([], "what v1 was trained on is not there any more: name the script with --script"),
    ],
)
def test_a_mistake_ends_in_one_line_and_leaves_nothing_behind(
    options: list[str],
    message: str,
    untold: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("model.retrain._step_back", lambda: None)
    before = sorted((untold / "dwight").rglob("*"))
    assert main(["retrain", "--persona", "dwight", "--store", str(untold), *options]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert message in line
    assert [path for path in sorted((untold / "dwight").rglob("*")) if path not in before and path.is_file()] == []


@pytest.fixture(scope="module")
def untold(llama_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a v1 that does not tell what it was trained on."""
    from model.persona import Persona, write_persona

    run = tmp_path_factory.mktemp("run")
    write_persona(Persona("dwight", "Dwight"), run / "persona.toml")
    (run / "training.json").write_text(json.dumps({"base": str(llama_base), "method": "none"}), encoding="utf-8")
    store = tmp_path_factory.mktemp("untold")
    Store(store).add("dwight", run)
    return store


def test_help_is_there_without_the_heavy_libraries() -> None:
    code = (
        "import sys; from model.__main__ import main\n"
        "try: main(['retrain', '--help'])\n"
        "finally: assert not {'torch', 'transformers', 'pandas', 'pyarrow', 'matplotlib'} & set(sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "(default: as the live version was made)" in " ".join(result.stdout.split())

"""Training: the loss falls, runs are reproducible, and one that was broken off goes on as if nothing had been."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from model.__main__ import main
from model.atomic import read_json
from model.errors import ModelError
from model.metrics import read_metrics

QUICK = ("--batch-size", "8", "--learning-rate", "5e-3", "--log-every", "1", "--validation-limit", "8")
# Dropout makes a resumed run depend on the state of the random generators, not on the data's order alone.
LONG = (*QUICK, "--epochs", "4", "--eval-every", "12", "--patience", "0", "--dropout", "0.1", "--seed", "3")


@pytest.fixture(scope="module")
def command(examples_folder: Path, gpt2_base: Path) -> list[str]:
    return ["train", "--examples", str(examples_folder), "--persona", "dwight", "--base", str(gpt2_base)]


@pytest.fixture(scope="module")
def whole_run(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The version that comes of LONG when nothing disturbs it."""
    store = tmp_path_factory.mktemp("whole")
    assert main([*command, *LONG, "--store", str(store)]) == 0
    return store / "dwight" / "v1"


def losses(version: Path) -> list[tuple[int, float]]:
    records = read_metrics(version / "metrics.jsonl")
    return [(record["step"], record.get("train_loss") or record["validation_loss"]) for record in records]


def training(version: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((version / "training.json").read_text(encoding="utf-8"))
    return record


def test_the_loss_of_an_adapter_clearly_falls_on_either_kind_of_base(
    either_base: Path, examples_folder: Path, tmp_path: Path
) -> None:
    options = ["--examples", str(examples_folder), "--persona", "dwight", "--base", str(either_base), *QUICK]
    assert main(["train", *options, "--epochs", "3", "--eval-every", "12", "--store", str(tmp_path)]) == 0
    records = read_metrics(tmp_path / "dwight" / "v1" / "metrics.jsonl")
    validation = [record["validation_loss"] for record in records if "validation_loss" in record]
    assert validation[-1] < 0.7 * validation[0]


def test_everyones_lines_around_the_character_are_learned_beforehand_where_that_is_asked_for(
    command: list[str], tmp_path: Path
) -> None:
    all_lines = ("--learn", "everyone")
    for store, options in (("alone", ()), ("everyone", all_lines), ("half", (*all_lines, "--limit", "48"))):
        assert main([*command, *QUICK, *options, "--store", str(tmp_path / store)]) == 0
    alone, everyone, half = (training(tmp_path / store / "dwight" / "v1") for store in ("alone", "everyone", "half"))
    assert everyone["data"]["train"] > 2 * alone["data"]["train"]
    assert 0.3 * everyone["data"]["train"] < half["data"]["train"] < 0.6 * everyone["data"]["train"]  # by stretches
    assert everyone["training"]["tokens"] > alone["training"]["tokens"]
    assert everyone["training"]["best_validation_loss"] < alone["training"]["best_validation_loss"]


def test_full_fine_tuning_leaves_whole_weights_whose_loss_fell(command: list[str], tmp_path: Path) -> None:
    options = [*QUICK, "--method", "full", "--epochs", "2", "--eval-every", "12", "--gradient-accumulation", "2"]
    assert main([*command, *options, "--store", str(tmp_path)]) == 0
    version = tmp_path / "dwight" / "v1"
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {file.name for file in version.glob("weights/*")}
    assert losses(version)[-1][1] < 0.7 * losses(version)[0][1]
    assert training(version)["training"]["steps"] == 12


def test_a_finished_run_leaves_all_that_the_store_needs_and_nothing_else(whole_run: Path) -> None:
    names = {"adapter", "persona.toml", "tokenizer.json", "metrics.jsonl", "loss.png", "training.json"}
    names |= {"sources.jsonl.gz"}
    assert names <= {path.name for path in whole_run.iterdir()}
    assert {file.name for file in (whole_run / "adapter").iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    assert list((whole_run.parent / ".runs").iterdir()) == []
    assert "sources.jsonl.gz" in read_json(whole_run / "manifest.json")["files"]


def test_the_training_record_says_how_the_version_came_about(whole_run: Path, examples_folder: Path) -> None:
    record = training(whole_run)
    validation = [r["validation_loss"] for r in read_metrics(whole_run / "metrics.jsonl") if "validation_loss" in r]
    assert record["training"]["best_validation_loss"] == min(validation)
    assert record["training"]["steps"] == 48
    assert record["training"]["tokens"] == read_metrics(whole_run / "metrics.jsonl")[-1]["tokens"]
    assert record["data"]["character"] == "Dwight Schrute"
    assert (record["data"]["train"], record["data"]["validation"]) == (96, 8)
    assert record["settings"]["dropout"] == 0.1


def test_an_adapter_names_no_path_of_this_machine(whole_run: Path) -> None:
    config = (whole_run / "adapter" / "adapter_config.json").read_text(encoding="utf-8")
    assert json.loads(config)["base_model_name_or_path"] == ""


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(
    command: list[str], whole_run: Path, tmp_path: Path
) -> None:
    assert main([*command, *LONG, "--store", str(tmp_path)]) == 0
    assert losses(tmp_path / "dwight" / "v1") == losses(whole_run)
    assert main([*command, *LONG, "--seed", "4", "--max-steps", "3", "--store", str(tmp_path)]) == 0
    assert losses(tmp_path / "dwight" / "v2")[0] != losses(whole_run)[0]


def start(command: list[str], store: Path) -> "subprocess.Popen[str]":
    """The same run in a process of its own, once it is past its first checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "model", *command, *LONG, "--store", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any(r["step"] > 13 for file in store.glob("dwight/.runs/*/version/*.jsonl") for r in read_metrics(file)):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    return process


def test_a_killed_run_resumes_and_ends_as_if_it_had_not_been_killed(
    command: list[str], whole_run: Path, tmp_path: Path
) -> None:
    process = start(command, tmp_path)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert main(["train", "--persona", "dwight", "--resume", "--store", str(tmp_path)]) == 0
    assert losses(tmp_path / "dwight" / "v1") == losses(whole_run)
    assert same_adapter(tmp_path / "dwight" / "v1", whole_run)


def test_ctrl_c_saves_a_checkpoint_says_how_to_go_on_and_nothing_is_lost(
    command: list[str], whole_run: Path, tmp_path: Path
) -> None:
    process = start(command, tmp_path)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    resume = f"python -m model train --persona dwight --resume --store {tmp_path}"
    assert errors.splitlines()[-1] == f"stopped; go on with: {resume}"
    (run,) = (tmp_path / "dwight" / ".runs").iterdir()
    last_step = read_metrics(run / "version" / "metrics.jsonl")[-1]["step"]
    assert (run / "checkpoints" / f"checkpoint-{last_step}" / "trainer_state.json").is_file()
    assert main(resume.split()[3:]) == 0
    assert losses(tmp_path / "dwight" / "v1") == losses(whole_run)
    assert same_adapter(tmp_path / "dwight" / "v1", whole_run)


@pytest.mark.parametrize("moment", ["on_step_end", "on_train_end"])
def test_ctrl_c_when_nothing_is_left_to_train_stops_before_the_store_and_is_not_trained_again(
    moment: str, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from model.metrics import ProgressBar

    def press(bar: ProgressBar, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == state.max_steps:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(ProgressBar, moment, press)
        assert main([*command, *QUICK, "--max-steps", "3", "--eval-every", "2", "--store", str(tmp_path)]) == 130
    assert "--persona dwight --resume" in capsys.readouterr().err
    assert not (tmp_path / "dwight" / "v1").exists()
    (run,) = (tmp_path / "dwight" / ".runs").iterdir()
    before = losses(run / "version")
    assert [step for step, _ in before] == [1, 2, 2, 3, 3]
    monkeypatch.setattr("model.train.fine_tune", lambda *_, **__: pytest.fail("trained again"))
    assert main(["train", "--persona", "dwight", "--resume", "--store", str(tmp_path)]) == 0
    assert losses(tmp_path / "dwight" / "v1") == before


def test_one_press_that_arrives_twice_asks_once_and_a_later_one_ends_it_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from model.trainer import Interruption

    with Interruption() as interruption:
        assert not interruption.was_asked_for
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert interruption.was_asked_for
        monkeypatch.setattr("model.trainer.ONE_PRESS", -1.0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_second_ctrl_c_says_how_to_go_on_as_well(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken_off(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("model.train.fine_tune", broken_off)
    assert main([*command, "--store", str(tmp_path)]) == 130
    assert "--persona dwight --resume" in capsys.readouterr().err
    assert len(list((tmp_path / "dwight" / ".runs").iterdir())) == 1


def same_adapter(one: Path, other: Path) -> bool:
    file = Path("adapter") / "adapter_model.safetensors"
    return (one / file).read_bytes() == (other / file).read_bytes()


def test_training_stops_early_and_keeps_the_best_weights(command: list[str], tmp_path: Path) -> None:
    # The learning rate is far too high: what is good after the first steps soon is not.
    options = ["--learning-rate", "0.3", "--warmup", "0", "--epochs", "20", "--eval-every", "2", "--patience", "2"]
    assert main([*command, *QUICK, *options, "--store", str(tmp_path)]) == 0
    version = tmp_path / "dwight" / "v1"
    record = training(version)["training"]
    assert record["stopped_early"]
    assert record["steps"] == record["best_step"] + 4
    rounding = 1e-2 if record["bfloat16"] else 1e-4  # here it is measured in float32
    assert validation_loss(version) == pytest.approx(record["best_validation_loss"], rel=rounding)


def validation_loss(version: Path) -> float:
    """Measured anew, from the files of the version."""
    from model.dataset import AnswerExamples
    from model.engines.transformers import load_model
    from model.evaluation.likelihood import score_answers, total
    from model.examples import read_dialogues
    from model.prompt import Prompt

    settings = training(version)["settings"]
    prompt = Prompt.from_folder(Path(settings["base"]))
    dialogues = read_dialogues(Path(settings["examples"]), "validation", settings["validation_limit"])
    examples = AnswerExamples(dialogues, prompt, settings["max_length"])
    score = total(score_answers(load_model(Path(settings["base"]), version / "adapter"), examples))
    return score.nats / score.tokens


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--batch-size", "0"], "--batch-size is 0, but must be at least 1"),
        (["--epochs", "0"], "--epochs is 0.0, but must be above 0"),
        (["--warmup", "1"], "--warmup is 1.0, but must be at least 0 and below 1"),
        (["--persona", "../dwight"], "persona id '../dwight' must be"),
        (["--base", "no/such/base/here"], "base 'no/such/base/here'"),
        (["--card", "missing.toml"], "missing.toml cannot be read"),
        (["--examples", "nowhere"], "nowhere is no examples folder (it has no manifest.json)"),
        (["--resume"], "holds no unfinished training of 'dwight'"),
    ],
)
def test_a_mistake_ends_in_one_line_that_names_it_and_leaves_nothing_behind(
    options: list[str], message: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, *options, "--store", str(tmp_path / "store")]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert message in line
    assert not (tmp_path / "store").exists()


def test_a_card_of_ones_own_is_learned_from_and_kept_with_the_version(command: list[str], tmp_path: Path) -> None:
    from model.persona import Persona, read_persona, write_persona

    write_persona(Persona("schrute", "Dwight K. Schrute", card="You are Dwight.", greeting="Hm."), tmp_path / "my.toml")
    options = ["--card", str(tmp_path / "my.toml"), "--max-steps", "1", "--store", str(tmp_path / "store")]
    assert main([*command, *QUICK, *options]) == 0
    kept = read_persona(tmp_path / "store" / "dwight" / "v1" / "persona.toml")
    assert (kept.id, kept.name, kept.card, kept.greeting) == ("dwight", "Dwight K. Schrute", "You are Dwight.", "Hm.")


def test_what_is_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--persona", "dwight", "--store", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "error: --examples is required: folder that data_prep wrote\n"
    assert main(["train", "--resume", "--store", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: --persona is required")


def test_a_resumed_run_keeps_its_settings_and_its_examples(
    examples_folder: Path, gpt2_base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow.parquet

    from model.persona import Persona
    from model.training_run import TrainingRun
    from model.training_settings import TrainingSettings

    examples = Path(shutil.copytree(examples_folder, tmp_path / "examples"))
    settings = TrainingSettings(examples=examples, persona="dwight", base=str(gpt2_base), rank=4)
    TrainingRun.begin(tmp_path / "store", settings, Persona("dwight", "Dwight"))
    resume = ["train", "--persona", "dwight", "--resume", "--store", str(tmp_path / "store")]
    assert main([*resume, "--rank", "8"]) == 1
    assert capsys.readouterr().err == "error: --rank: the run to resume has 4; leave the option out\n"
    pairs = examples / "target_char_qa_pairs.parquet"
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(pairs).slice(1), pairs)
    assert main(resume) == 1
    assert "has changed since the run began" in capsys.readouterr().err


def test_a_run_whose_version_could_not_say_what_it_learned_from_does_not_begin(
    examples_folder: Path, tmp_path: Path
) -> None:
    from model.persona import Persona
    from model.training_run import TrainingRun
    from model.training_settings import TrainingSettings

    examples = Path(shutil.copytree(examples_folder, tmp_path / "examples"))
    (examples / "qa_pairs.parquet").unlink()
    settings = TrainingSettings(examples=examples, persona="dwight")
    with pytest.raises(ModelError, match=r"/qa_pairs\.parquet does not exist: prepare the script again"):
        TrainingRun.begin(tmp_path / "store", settings, Persona("dwight", "Dwight"))
    assert not (tmp_path / "store").exists()


def test_a_half_written_checkpoint_is_passed_over(examples_folder: Path, tmp_path: Path) -> None:
    from model.persona import Persona
    from model.training_run import TrainingRun
    from model.training_settings import TrainingSettings

    settings = TrainingSettings(examples=examples_folder, persona="dwight")
    run = TrainingRun.begin(tmp_path, settings, Persona("dwight", "Dwight"))
    for step, state in ((5, "{}"), (10, "{}"), (15, '{"global_step": 1')):
        folder = run.checkpoints / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "trainer_state.json").write_text(state, encoding="utf-8")
    (run.checkpoints / "checkpoint-20").mkdir()
    assert run.last_checkpoint() == run.checkpoints / "checkpoint-10"


def test_help_is_there_without_the_heavy_libraries() -> None:
    code = (
        "import sys; from model.__main__ import main\n"
        "try: main(['train', '--help'])\n"
        "finally: assert not {'torch', 'transformers', 'pandas', 'pyarrow'} & set(sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "--context-dropout" in result.stdout

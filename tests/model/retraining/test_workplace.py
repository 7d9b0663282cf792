"""One retraining at a time, enough room for it, and nothing left of those that were killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.errors import ModelError
from model.persona import Persona
from model.retraining.workplace import Workplace, check_space, one_at_a_time, space_needed
from model.store import Version
from model.training_run import TrainingRun
from model.training_settings import TrainingSettings

HOLDER = """
import sys, time
from pathlib import Path
from model.retraining.workplace import one_at_a_time
with one_at_a_time(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_one_is_refused_until_the_first_is_done(tmp_path: Path) -> None:
    with (
        one_at_a_time(tmp_path / "store"),
        pytest.raises(ModelError, match=r"another retraining is at work in .*store; one at a time"),
        one_at_a_time(tmp_path / "store"),
    ):
        pass
    with one_at_a_time(tmp_path / "store"), one_at_a_time(tmp_path / "another"):
        pass


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(ModelError, match="one at a time"), one_at_a_time(tmp_path):
        pass
    process.kill()
    process.communicate()
    with one_at_a_time(tmp_path):
        pass


def test_the_space_that_is_needed_is_checked_against_the_disk(tmp_path: Path) -> None:
    check_space(tmp_path, 1)
    with pytest.raises(ModelError, match=r"has \d+\.\d GiB of free space, but retraining needs 953674\.0 GiB there"):
        check_space(tmp_path, 953674 * 2**30)


def test_training_every_weight_needs_more_space_than_an_adapter_and_a_greater_rank_more_than_a_small_one(
    gpt2_base: Path, tmp_path: Path
) -> None:
    (tmp_path / "v1" / "engine").mkdir(parents=True)
    (tmp_path / "v1" / "engine" / "openvino_model.bin").write_bytes(b"0" * 1000)
    live = Version(tmp_path / "v1", {})

    def needed(**settings: object) -> int:
        return space_needed(live, gpt2_base, TrainingSettings(examples=tmp_path, persona="dwight", **settings))  # type: ignore[arg-type]

    weights = (gpt2_base / "model.safetensors").stat().st_size
    assert needed(rank=4) < needed(rank=8) < needed(method="full")
    assert needed(method="full") > 9 * weights


def begin(place: Workplace, name: str, examples: Path) -> TrainingRun:
    settings = TrainingSettings(examples=examples, persona="dwight")
    return TrainingRun.begin_in(place.run_folder(name), settings, Persona("dwight", "Dwight"))


def test_the_last_one_that_began_is_gone_on_with(examples_folder: Path, tmp_path: Path) -> None:
    place = Workplace(tmp_path, "dwight")
    assert place.unfinished() is None
    begin(place, "20260101-1", examples_folder)
    begin(place, "20260102-1", examples_folder)
    (place.run_folder("20260103-1") / "version").mkdir(parents=True)  # killed before it had begun
    assert place.unfinished() == place.run_folder("20260102-1")


def test_cleaning_leaves_this_run_and_what_versions_and_other_trainings_need(
    examples_folder: Path, tmp_path: Path
) -> None:
    place = Workplace(tmp_path, "dwight")
    run = begin(place, "20260102-1", examples_folder)
    begin(place, "20260101-1", examples_folder)
    for name in ("of-a-version", "of-a-training", "of-nobody"):
        place.examples_folder(name).mkdir(parents=True)
    version, training = tmp_path / "dwight" / "v1", tmp_path / "dwight" / ".runs" / "20260101-1"
    for folder, file, examples in ((version, "manifest.json", "of-a-version"), (training, "run.json", "of-a-training")):
        folder.mkdir(parents=True)
        record = {"settings": {"examples": str(place.examples_folder(examples))}}
        (folder / file).write_text(json.dumps(record), encoding="utf-8")
    place.clean(run)
    assert [folder.name for folder in run.folder.parent.iterdir()] == ["20260102-1"]
    names = {folder.name for folder in place.examples_folder("any").parent.iterdir()}
    assert names == {"of-a-version", "of-a-training"}
    assert training.is_dir()
    place.clean()
    assert place.unfinished() is None


def test_scratch_of_a_killed_process_is_removed_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    place = Workplace(tmp_path, "dwight")
    old, new = tmp_path / "dwight" / ".v2-abcd1234", tmp_path / "dwight" / ".v3-abcd1234"
    for folder in (old, new):
        (folder / "inside").mkdir(parents=True)
    os.utime(old, (1_000_000_000, 1_000_000_000))
    place.clean()
    assert not old.exists()
    assert new.exists()

"""Several processes train as one does: the same weights, one run, one version; broken off, all go on together."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model.__main__ import main
from model.metrics import read_metrics
from model.processes import Processes, joined_processes
from model.trainer import has_fast_bfloat16

RECIPE = (
    *("--learning-rate", "5e-3", "--epochs", "4", "--patience", "0"),
    *("--log-every", "1", "--validation-limit", "9", "--eval-every", "12"),
)
ACCELERATE = ("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0")
TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def command(examples_folder: Path, llama_base: Path) -> list[str]:
    # A base without dropout of its own, which would fall differently.
    return ["train", "--examples", str(examples_folder), "--persona", "dwight", "--base", str(llama_base), *RECIPE]


def launch(launcher: tuple[str, ...], *arguments: str) -> "subprocess.Popen[str]":
    """Two processes on the CPU, in a session of their own, so that Ctrl-C can reach them all at once."""
    return subprocess.Popen(
        [sys.executable, "-m", *launcher, "-m", "model", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )


def adapter(version: Path) -> dict[str, torch.Tensor]:
    return load_file(version / "adapter" / "adapter_model.safetensors")


def validation_losses(version: Path) -> list[float]:
    records = read_metrics(version / "metrics.jsonl")
    return [record["validation_loss"] for record in records if "validation_loss" in record]


def test_two_processes_stop_and_go_on_together_and_end_with_what_one_process_learns(
    command: list[str], tmp_path: Path
) -> None:
    assert main([*command, "--batch-size", "8", "--store", str(tmp_path / "one")]) == 0
    one, two = tmp_path / "one" / "dwight" / "v1", tmp_path / "two" / "dwight" / "v1"

    process = launch(ACCELERATE, *command, "--batch-size", "4", "--store", str(tmp_path / "two"))
    while not any(r["step"] > 13 for file in two.parent.glob(".runs/*/version/*.jsonl") for r in read_metrics(file)):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode != 0
    resume = f"python -m model train --persona dwight --resume --store {tmp_path / 'two'}"
    assert [line for line in errors.splitlines() if line.startswith("stopped")] == [f"stopped; go on with: {resume}"]
    (run,) = (two.parent / ".runs").iterdir()
    last_step = read_metrics(run / "version" / "metrics.jsonl")[-1]["step"]
    assert (run / "checkpoints" / f"checkpoint-{last_step}" / "trainer_state.json").is_file()

    process = launch(TORCHRUN, *resume.split()[3:])
    told, errors = process.communicate()
    assert process.returncode == 0, errors
    assert told == f"dwight: v1 is live, in {two}\n"
    assert sorted(path.name for path in two.parent.glob("[!.]*")) == ["current", "v1"]
    assert list((two.parent / ".runs").iterdir()) == []
    assert json.loads((two / "training.json").read_text(encoding="utf-8"))["training"]["processes"] == 2
    rounding = 20 if has_fast_bfloat16() else 1  # and another order of a batch's sums each time
    assert validation_losses(two) == pytest.approx(validation_losses(one), rel=rounding * 1e-3)
    for name, weights in adapter(one).items():
        torch.testing.assert_close(adapter(two)[name], weights, rtol=0, atol=rounding * 1e-3)


def test_a_mistake_ends_all_processes_with_one_line(command: list[str], tmp_path: Path) -> None:
    process = launch(TORCHRUN, *command, "--examples", str(tmp_path / "nowhere"), "--store", str(tmp_path / "store"))
    _, errors = process.communicate()
    assert process.returncode != 0
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "nowhere is no examples folder" in line
    assert not (tmp_path / "store").exists()


@pytest.fixture
def alone() -> Iterator[Processes]:
    with joined_processes() as processes:
        yield processes


def test_a_process_that_nobody_launched_is_all_there_is(alone: Processes) -> None:
    assert (alone.is_first, alone.count) == (True, 1)
    assert alone.share("run") == "run"
    assert (alone.any(True), alone.any(False)) == (True, False)
    assert alone.sum([2.5, 4]) == [2.5, 4]

"""metrics.jsonl and loss.png: what a run reports of itself."""

import json
import struct
from pathlib import Path

import pytest
from transformers import TrainerControl, TrainerState, TrainingArguments

from model.metrics import MetricsLog, SpeedMeter, draw_loss, read_metrics


def test_records_up_to_a_step_are_read_and_a_torn_last_line_is_not(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st', encoding="utf-8")
    assert read_metrics(file) == [{"step": 1}, {"step": 2}, {"step": 3}]
    assert read_metrics(file, last_step=2) == [{"step": 1}, {"step": 2}]
    assert read_metrics(tmp_path / "none.jsonl") == []


def test_a_log_goes_on_after_the_checkpoint_that_a_run_resumes_from(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    earlier = {"step": 2, "seconds": 50.0, "train_loss": 3.0}
    file.write_text(f'{json.dumps(earlier)}\n{{"step": 3, "seconds": 60.0}}\n', encoding="utf-8")
    log, args = MetricsLog(tmp_path), TrainingArguments(str(tmp_path))
    state = TrainerState(global_step=2, num_input_tokens_seen=10)
    log.on_train_begin(args, state, TrainerControl())
    state.global_step, state.epoch = 3, 0.25
    log.on_log(args, state, TrainerControl(), logs={"loss": 2.5, "learning_rate": 1e-3})
    log.on_log(args, state, TrainerControl(), logs={"eval_loss": 2.75})
    kept, trained, validated = read_metrics(file)
    assert kept == earlier
    assert trained["seconds"] >= 50.0
    assert trained | {"seconds": 0, "tokens_per_second": 0} == {
        "step": 3,
        "epoch": 0.25,
        "seconds": 0,
        "tokens": 10,
        "train_loss": 2.5,
        "learning_rate": 1e-3,
        "tokens_per_second": 0,
    }
    assert validated["validation_loss"] == 2.75


def test_speed_counts_steps_and_nothing_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 2.0, 100.0, 103.0])
    monkeypatch.setattr("model.metrics.time.monotonic", lambda: next(clock))
    meter = SpeedMeter()
    meter.restart(1000)
    for _ in range(2):
        meter.start_step()
        meter.end_step()
    assert meter.tokens_per_second(1050) == 10.0
    assert meter.tokens_per_second(1050) == 0.0


def test_the_drawing_is_a_png_of_both_curves_and_replaces_the_last_at_one_stroke(tmp_path: Path) -> None:
    records = [{"step": step, "train_loss": 5.0 / step} for step in range(1, 9)]
    draw_loss([], tmp_path / "empty.png")
    draw_loss(records, tmp_path / "loss.png")
    training_alone = (tmp_path / "loss.png").read_bytes()
    draw_loss([*records, {"step": 4, "validation_loss": 2.0}], tmp_path / "loss.png")
    png = (tmp_path / "loss.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (800, 450)
    assert len({png, training_alone, (tmp_path / "empty.png").read_bytes()}) == 3
    assert {file.name for file in tmp_path.iterdir()} == {"loss.png", "empty.png"}

"""What a retraining says: a protocol for programs, kept to the letter."""

import json
from pathlib import Path
from typing import Any

import pytest

from model.retraining.events import Bars, Counter, JsonLines
from model.retraining.gate import Measure
from model.retraining.verdict import Verdict, read_verdict, write_verdict

PASSED = Measure("perplexity", 17.4, 17.0, "lower", 0.35)
FAILED = Measure("true answer found", 0.7, 0.5, "higher", 0.05)


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_progress_is_told_at_most_once_a_second_whatever_the_stage(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    said = JsonLines(clock)
    for step in range(50):
        clock.now = 100 + step / 10
        said.progress("prepare" if step < 5 else "train", step, 50)
    told = events(capsys)
    assert [event["done"] for event in told] == [0, 10, 20, 30, 40]
    assert told[0] == {
        "event": "progress",
        "stage": "prepare",
        "done": 0,
        "total": 50,
        "seconds_left": None,
        "loss": None,
    }


def test_the_beginning_and_the_verdict_are_told_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = JsonLines(Clock())
    said.progress("prepare", 0, 1)
    said.started("20260101-000000-000000", "lisa", "v1")
    said.decided(Verdict("lisa", "v2", "v1", [PASSED, FAILED], 100), tmp_path / "verdict.png")
    _, started, verdict = events(capsys)
    assert started == {"event": "started", "run": "20260101-000000-000000", "persona": "lisa", "live": "v1"}
    assert verdict == {
        "event": "verdict",
        "version": "v2",
        "live": False,
        "compared_with": "v1",
        "measures": [
            {"name": "perplexity", "old": 17.4, "new": 17.0, "better": "lower", "tolerance": 0.35, "ok": True},
            {"name": "true answer found", "old": 0.7, "new": 0.5, "better": "higher", "tolerance": 0.05, "ok": False},
        ],
        "reasons": ["true answer found: 0.5 instead of 0.7, worse by 0.2 where 0.05 would be no matter"],
        "picture": str(tmp_path / "verdict.png"),
    }


def test_people_get_a_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = Bars()
    said.started("20260101-000000-000000", "lisa", "v1")
    said.progress("train", 1, 2, 3.0, 1.5)
    said.decided(Verdict("lisa", "v2", "v1", [PASSED], 80), tmp_path / "verdict.png")
    assert capsys.readouterr().out.splitlines() == [
        "lisa: retraining 20260101-000000-000000; v1 is live meanwhile",
        "                                    v1        v2  may lose",
        "perplexity ↓                    17.400    17.000     0.350  ✓",
        "measured on 80 held-out lines",
        "lisa: v2 is live now",
        str(tmp_path / "verdict.png"),
    ]


def test_what_an_earlier_process_did_is_no_part_of_the_pace(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    counter = Counter(JsonLines(clock), "train", 100, done=90)
    counter.reached(90)
    clock.now += 1
    counter()
    first, second = events(capsys)
    assert (first["done"], first["seconds_left"]) == (90, None)
    assert second["done"] == 91
    assert second["seconds_left"] >= 0


def test_a_verdict_is_kept_with_its_version(tmp_path: Path) -> None:
    verdict = Verdict("lisa", "v2", "v1", [PASSED, FAILED], 100)
    assert read_verdict(tmp_path) is None
    write_verdict(verdict, tmp_path)
    assert read_verdict(tmp_path) == verdict

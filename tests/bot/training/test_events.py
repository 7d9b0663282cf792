"""The trainer's lines: what is told is read, and what is not told so is passed over."""

import json
import math
from pathlib import Path

import pytest

from bot.training.events import Progress, Started, Verdict, read_event

VERDICT = {
    "event": "verdict",
    "version": "v2",
    "live": True,
    "compared_with": "v1",
    "measures": [
        {"name": "perplexity", "old": 17.4, "new": 16.2, "better": "lower", "tolerance": math.inf, "ok": True}
    ],
    "reasons": [],
    "picture": "/store/lisa/v2/loss.png",
}


def line(**told: object) -> bytes:
    return json.dumps(told).encode() + b"\n"


def test_each_kind_of_event_is_read_and_what_is_new_to_us_is_left_out() -> None:
    started = read_event(line(event="started", run="r", persona="lisa", live="v1", colour="red"))
    assert started == Started(run="r", persona="lisa", live="v1")
    progress = read_event(line(event="progress", stage="train", done=2, total=4, seconds_left=None, loss=math.nan))
    assert isinstance(progress, Progress)
    assert (progress.stage, progress.done, progress.total, progress.seconds_left) == ("train", 2, 4, None)
    verdict = read_event(line(**VERDICT))
    assert isinstance(verdict, Verdict)
    assert verdict.picture == Path("/store/lisa/v2/loss.png")
    assert verdict.measures[0].new == 16.2


def test_a_verdict_comes_back_from_the_record_as_it_was_told() -> None:
    verdict = read_event(line(**VERDICT))
    assert isinstance(verdict, Verdict)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"\xff\xfe\n",
        b"Loading weights: 40%\n",
        b"[]\n",
        b"null\n",
        b'"started"\n',
        b"{}\n",
        b'{"event": []}\n',
        b'{"event": "party"}\n',
        b'{"event": "started"}\n',
        b'{"event": "progress", "stage": "sleep", "done": 1, "total": 2}\n',
        b'{"event": "progress", "stage": "train", "done": "many", "total": 2}\n',
        b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_passed_over(told: bytes) -> None:
    assert read_event(told) is None

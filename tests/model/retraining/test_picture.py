"""The picture of a verdict."""

import struct
from pathlib import Path

import pytest

from model.retraining.gate import Measure
from model.retraining.picture import draw_verdict
from model.retraining.verdict import Verdict

RECORDS = [{"step": step, "train_loss": 3.0 / step} for step in range(1, 50)] + [{"step": 25, "validation_loss": 1.0}]


@pytest.mark.parametrize("new", [16.0, 19.0])
def test_the_picture_is_upright_and_replaces_an_older_one(new: float, tmp_path: Path) -> None:
    file = tmp_path / "verdict.png"
    file.write_bytes(b"an older one")
    draw_verdict(Verdict("lisa", "v2", "v1", [Measure("perplexity", 17.4, new, "lower", 0.35)], 80), RECORDS, file)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert struct.unpack(">II", file.read_bytes()[16:24]) == (1080, 1350)
    assert [path.name for path in tmp_path.glob("*verdict*")] == ["verdict.png"]

"""The charts as the command has them drawn: by a real process, and its copies, that end when they are not wanted."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from data_prep.__main__ import INTERRUPTED, main
from data_prep.schema import CHARTS, REPORT
from tests.data_prep.scripts import row, write_script

ROOT = Path(__file__).parents[2]
CHARTS_COMMAND = "data_prep.charts"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    rows = [row(n, "Lisa Simpson" if n % 2 else "Bart Simpson", f"Line {n}.", episode=1 + n % 9) for n in range(1, 400)]
    return write_script(tmp_path / "script.csv", rows)


def command(script: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "data_prep", str(script), "--character", "lisa", "--out", str(out)]


def test_other_processes_draw_what_one_would(script: Path, tmp_path: Path) -> None:
    subprocess.run(command(script, tmp_path / "theirs"), cwd=ROOT, check=True, capture_output=True)
    assert main([str(script), "--character", "lisa", "--out", str(tmp_path / "ours")]) == 0
    ours = {file.name: file.read_bytes() for file in (tmp_path / "ours" / CHARTS).iterdir()}
    theirs = {file.name: file.read_bytes() for file in (tmp_path / "theirs" / CHARTS).iterdir()}
    assert len(ours) >= 4
    assert theirs == ours
    pages = [(tmp_path / folder / REPORT).read_text(encoding="utf-8") for folder in ("ours", "theirs")]
    assert pages[0] == pages[1]
    assert len(re.findall("<svg", pages[0])) == len(ours)


@pytest.mark.skipif(sys.platform != "linux", reason="copies of a process are made on Linux only")
def test_an_interruption_while_the_copies_draw_ends_them_all_and_leaves_nothing(script: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shows"
    folder.mkdir()
    with subprocess.Popen(command(script, folder / "out"), cwd=ROOT, stderr=subprocess.PIPE) as process:
        family = drawing_family(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None, "a pipe"
        assert process.stderr.read().decode().endswith("interrupted; nothing was written\n")
        assert process.wait() == INTERRUPTED
    assert list(folder.iterdir()) == []
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def drawing_family(number: int) -> list[psutil.Process]:
    """The process that draws and its copies, as soon as there are any."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for drawing in drawings(number):
            if copies := drawing.children():
                return [drawing, *copies]
        time.sleep(0.001)
    raise AssertionError("no copy was seen")


def drawings(number: int) -> Iterator[psutil.Process]:
    for child in psutil.Process(number).children():
        if CHARTS_COMMAND in child.cmdline():
            yield child

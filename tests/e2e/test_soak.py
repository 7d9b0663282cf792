"""The soak test, in a short form; `make soak` does it for minutes. And how it tells a leak from noise."""

from collections import Counter
from pathlib import Path
from random import Random

from benchmarks.reliability import Report, write_report
from tests.e2e import kills, random_updates
from tests.e2e.soak import MIB, Findings, Sample, leaks, slope, soak
from tests.e2e.stage import Stage

GROWTH, HANDLES = 2500.0, 40


def samples(bytes_an_update: float = 0, handles_at_the_end: int = HANDLES) -> list[Sample]:
    """A process that fills its caches, and then grows so much, with noise and an odd sample now and then."""
    random, found = Random(1), []
    for number in range(90):
        updates, settled = 100 * number, number > 30
        memory = 80 * MIB + (bytes_an_update * updates if settled else -(30 - number) * MIB / 10)
        memory += random.uniform(-0.3, 0.3) * MIB + (40 * MIB if number % 29 == 0 else 0)
        handles = handles_at_the_end if number > 60 else HANDLES
        found.append(Sample(2.0 * number, updates, int(memory), handles + random.randint(-2, 2)))
    return found


def test_noise_and_the_warm_up_are_no_leak() -> None:
    assert leaks(Findings(20, samples())) == []


def test_memory_that_grows_with_each_update_is_a_leak() -> None:
    (line,) = leaks(Findings(20, samples(bytes_an_update=GROWTH)))
    assert line.startswith("memory grows by ")


def test_connections_that_are_not_given_back_are_a_leak() -> None:
    (line,) = leaks(Findings(20, samples(handles_at_the_end=HANDLES + 30)))
    assert line.startswith("open files and connections grow from 4")


def test_the_slope_is_that_of_most_points() -> None:
    assert slope([(x, 3.0 * x + (1000 if x == 4 else 0)) for x in range(20)]) == 3.0
    assert slope([(1, 5)]) == slope([(1, 5), (1, 6)]) == 0


async def test_under_a_steady_load_everything_is_settled_and_answered_and_no_connection_is_kept(stage: Stage) -> None:
    findings = await soak(stage, people=4, seconds=0, updates=80, every=0.2)
    # So short a time says nothing about memory.
    assert [problem for problem in findings.problems if not problem.startswith("memory")] == []
    assert findings.samples[-1].updates >= 80
    assert min(sample.memory for sample in findings.samples) > MIB
    assert findings.deeds["talk"] > 0


def test_the_report_has_the_figures_and_a_chart(tmp_path: Path) -> None:
    killed = kills.Findings(100, 20, 4321, Counter({"429": 7}), Counter({3: 2, 9: 1}), 5, 300.0)
    report = Report(killed, random_updates.Findings(9000, 1000), Findings(20, samples(), Counter(talk=8, ask=3)))
    write_report(report, tmp_path)
    text = (tmp_path / "reliability.md").read_text(encoding="utf-8")
    for figure in ("4,321 of 4,321", "3, at most 2 at one kill", "9,000", "1,000"):
        assert figure in text
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")


def test_a_promise_that_was_not_kept_is_in_the_report(tmp_path: Path) -> None:
    killed = kills.Findings(1, 1, problems=["chat 1: no answer to 1 messages"])
    report = Report(killed, random_updates.Findings(), Findings(1, samples()))
    write_report(report, tmp_path)
    assert report.problems == ["chat 1: no answer to 1 messages"]
    assert "chat 1: no answer to 1 messages" in (tmp_path / "reliability.md").read_text(encoding="utf-8")

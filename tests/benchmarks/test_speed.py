"""The yardstick: engines in processes of their own, the same work for all, and a page that says what was found."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from benchmarks.speed import chart, limits, report, targets
from benchmarks.speed import quantization as perplexities
from benchmarks.speed.bases import LISA, Shape, random_gpt2
from benchmarks.speed.competitors import ENTRIES, OURS
from benchmarks.speed.footprint import installed_size, peak_memory
from benchmarks.speed.processes import Process
from benchmarks.speed.results import Contest, Dialogue, Figures, Machine, Quantization, Results, Serving, Work
from benchmarks.speed.workloads import NEW_TOKENS, PROMPT_TOKENS, SHARED_TOKENS, Workload
from model.__main__ import main
from model.errors import ModelError

SMALL = Shape(layers=1, heads=2, width=16, positions=512)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bases") / "tiny"
    folder.mkdir()
    random_gpt2(folder, SMALL)
    return folder


@pytest.fixture(scope="module")
def exported(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    ENTRIES[OURS].prepare(base, folder)
    return folder


def figures(title: str, speed: float, **more: bool) -> Figures:
    """What an engine of so many answers a second would have done."""
    waits = {chats: [[chats / speed] * chats] * 3 for chats in (1, 8, 32)}
    return Figures(
        title,
        waits=waits,
        first_empty=[0.1],
        first_context=[0.2],
        decoding=[100.0],
        reading=[500.0],
        cold_starts=[1.0],
        peak_memory=300_000_000,
        installed=200_000_000,
        **more,
    )


@pytest.fixture
def results() -> Results:
    machine = Machine("a processor", 2, ["avx2"], 2**34, 20e9, 100e9, {"Python": "3.11"})
    contest = Contest("Lisa", Work(100_000_000, 2 * 10**8, 10**8))
    contest.figures = {
        "ours": figures("Understudy", 10.0),
        "transformers": figures("transformers, float32", 1.0),
        "genai": figures("OpenVINO GenAI, defaults", 8.0),
        "retrieval": figures("retrieval, bi-encoder", 40.0, retrieves=True),
    }
    contest.dialogue = Dialogue(known=[[0.1] * 5], strange=[[0.1, 0.2, 0.3, 0.4, 0.5]])
    return Results(machine, {LISA: contest}, Quantization(100, 900, 20.0, 20.1), Serving([2.0, 2.5, 4.0], 450_000_000))


def test_the_same_work_is_given_to_all_and_never_twice(base: Path) -> None:
    first, second = Workload(base), Workload(base)
    prompts = first.chats(8)
    assert prompts == second.chats(8)
    assert {len(prompt) for prompt in prompts} == {PROMPT_TOKENS}
    assert len({tuple(prompt[:SHARED_TOKENS]) for prompt in prompts}) == 1
    assert len({tuple(prompt) for prompt in [*prompts, *first.chats(8)]}) == 16


def test_each_turn_of_a_dialogue_goes_on_where_the_last_one_ended(base: Path) -> None:
    turns = [prompt for [prompt] in Workload(base).dialogue(known=True)]
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(turns))
    strangers = [prompt for [prompt] in Workload(base).dialogue(known=False)]
    assert [prompt[1:] for prompt in strangers] == [prompt[1:] for prompt in turns]
    assert len({prompt[0] for prompt in strangers}) == len(turns)


@pytest.mark.parametrize("chats", [1, 3])
def test_our_engine_answers_in_a_process_of_its_own_with_every_token_asked_for(
    base: Path, exported: Path, chats: int
) -> None:
    with Process(ENTRIES[OURS], exported) as process:
        answers = process.answer(Workload(base).chats(chats))
        assert [answer.tokens for answer in answers] == [NEW_TOKENS] * chats
        assert all(0 < answer.first <= answer.last for answer in answers)
        assert process.peak_memory > 10_000_000
        pid = process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_engine_that_cannot_load_is_named_with_its_reason(tmp_path: Path) -> None:
    with Process(ENTRIES[OURS], tmp_path) as process, pytest.raises(ModelError, match=r"Understudy: .*config\.json"):
        process.answer([[1, 2, 3]])


def test_an_answer_that_ends_early_is_no_measurement(base: Path, tmp_path: Path) -> None:
    talker = tmp_path / "talker"
    shutil.copytree(base, talker)
    weights = load_file(base / "model.safetensors")
    weights["wte.weight"][0] = 1  # what was never drawn is now the likeliest of all
    save_file(weights, talker / "model.safetensors")
    exported = tmp_path / "exported"
    exported.mkdir()
    ENTRIES[OURS].prepare(talker, exported)
    with Process(ENTRIES[OURS], exported) as process, pytest.raises(ModelError, match="but 1 of 200 were asked for"):
        process.answer(Workload(base).chats(1), 200)


def test_the_command_measures_and_writes_page_picture_and_figures(base: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "model", "bench", "--quick", "--models", str(base), "--engines", "ours"]
    command += ["transformers", "--out", str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=True)
    written = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    found = written["contests"]["tiny"]["figures"]
    assert [[len(waits) for waits in found["ours"]["waits"][chats]] for chats in ("1", "8")] == [[1, 1, 1], [8, 8]]
    assert len(written["contests"]["tiny"]["dialogue"]["known"][0]) == 5
    page = (tmp_path / "speed.md").read_text(encoding="utf-8")
    assert page.strip() == done.stdout.strip()
    assert "| transformers, float32 |" in page
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")


def test_a_missing_rival_is_a_clear_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("benchmarks.speed.command.find_spec", lambda name: None if name == "ctranslate2" else name)
    assert main(["bench", "--engines", "ours", "ctranslate2"]) == 1
    assert capsys.readouterr().err == "error: ctranslate2 is missing: `make bench` installs it\n"


def test_other_commands_take_no_options_that_they_do_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["list", "--quick"])
    assert "unrecognized arguments: --quick" in capsys.readouterr().err


def test_what_was_wanted_stands_beside_what_was_measured(results: Results) -> None:
    found = {target.what: (target.measured, target.met) for target in targets.check(results)}
    assert found["Lisa, 8 chats: answers/s against transformers, float32"] == ("10.00 x", True)
    assert found["Lisa, 8 chats: answers/s against OpenVINO GenAI, defaults"] == ("1.25 x", False)
    closest = "Lisa, one chat: nobody who writes is ahead; the closest is OpenVINO GenAI, defaults"
    assert found[closest] == ("1.25 x", True)
    assert found["Lisa: decoding of one chat, of what memory allows"] == ("50%", False)
    assert found["what quantization costs in held-out perplexity"] == ("+0.50%", True)
    assert found["a dialogue's fifth turn begins sooner than without reuse"] == ("5.0 x", True)
    assert found["`python -m bot chat` to the first answer, after the first run"] == ("2.5 s", True)
    assert found["peak memory of that process"] == ("450 MB", True)


def test_the_page_says_who_is_quicker_whichever_way_it_turns_out(results: Results) -> None:
    page = report.page(results)
    assert "| OpenVINO GenAI, defaults | 8.00 | 1.25 | 8.00 | 1.25 | 8.00 | 1.25 |" in page
    assert "0.25 x, 0.25 x, 0.25 x with 1, 8, 32 chats; generating is quicker at 0 of 3 loads" in page
    assert "20.000 in float32, 20.100 as exported (+0.50%)" in page
    assert "python -m benchmarks.overhead" in page


def test_the_picture_holds_a_chart_for_each_load(results: Results, tmp_path: Path) -> None:
    chart.draw(results, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert set(asdict(results)) >= {"machine", "contests", "quantization", "serving"}


def test_a_chat_waits_longer_at_the_95th_percentile_than_at_the_median() -> None:
    waits = Figures("an engine", waits={8: [[0.1 * number for number in range(1, 9)]] * 2})
    assert waits.answers_per_second(8) == pytest.approx(10)
    assert waits.wait(8, 50) == pytest.approx(0.45)
    assert 0.7 < waits.wait(8, 95) <= 0.8


def test_weights_are_counted_that_are_read_for_a_token_and_no_table_of_single_rows(base: Path, exported: Path) -> None:
    work = limits.work_of(base, exported)
    linear = 12 * SMALL.width**2
    head = SMALL.vocabulary * SMALL.width
    assert work.inner_operations == 2 * linear
    assert work.head_operations == 2 * head
    positions = 4 * SMALL.positions * SMALL.width
    assert linear + head <= work.bytes_read < (exported / "openvino_model.bin").stat().st_size - positions / 2


def test_limits_follow_from_the_machine_and_the_work() -> None:
    machine = Machine("a processor", 2, [], 0, bandwidth=10e9, matrix_rate=100e9)
    work = Work(bytes_read=100_000_000, inner_operations=10**8, head_operations=10**8)
    assert limits.decoding_limit(machine, work) == 100
    assert limits.reading_limit(machine, work) == 1000
    assert limits.answering_limit(machine, work, 1) == pytest.approx(1 / (0.048 + 0.25))
    assert limits.answering_limit(machine, work, 10) == pytest.approx(10 / (0.48 + 25 * 0.02))


def test_memory_and_installed_size_are_those_of_this_process_and_its_packages() -> None:
    assert peak_memory() > 20_000_000
    assert installed_size(("numpy",)) > 1_000_000
    assert installed_size(("transformers",)) > installed_size(("numpy",)), "what it depends on is counted, too"


def test_nats_are_those_of_the_softmax() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])) + 3
    assert perplexities._nats(logits, [0, 2]) == pytest.approx(-np.log(0.5) - np.log(0.7))

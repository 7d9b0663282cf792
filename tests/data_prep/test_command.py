"""The whole way from a file to a folder, by the command line."""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data_prep.__main__ import main
from data_prep.schema import MANIFEST, QA_PAIRS, REJECTED, REPORT, TARGET_ANSWERS, TARGET_PAIRS
from tests.data_prep.scripts import broken_line, csv_line, heading, office_script, row, sample_script, write_script

ROOT = Path(__file__).parents[2]


def real_or_made(name: str, made: Path) -> Path:
    """The real file of that name from the folder that REAL_SCRIPTS names; without one, ours with the same traits."""
    folder = os.environ.get("REAL_SCRIPTS")
    return Path(folder) / name if folder else made


def manifest(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return content


def assert_windows_are_right(pairs: pd.DataFrame, context: int) -> None:
    """Every context is what was said just before in the same scene."""
    for _, scene in pairs.groupby("scene_id"):
        answers, speakers = scene["answer"].tolist(), scene["speaker"].tolist()
        assert scene["episode_id"].nunique() == 1
        for index, (said, by) in enumerate(zip(scene["context"], scene["context_speakers"], strict=True)):
            first = max(index - context, 0)
            assert list(said) == answers[first:index]
            assert list(by) == speakers[first:index]


def hostile_script(path: Path) -> Path:
    """Good rows among everything that has gone wrong in a script file."""
    good = [row(n, "Lisa Simpson", f"Page {n}, please.", episode=1 + n % 4) for n in range(1, 41)]
    quoted = [row(n, "Bart Simpson", f'I say "{n}", you say "no", right?', episode=1 + n % 4) for n in range(50, 60)]
    lines: list[list[str] | str] = [*good[:20], *map(broken_line, quoted), *good[20:]]
    bad = [
        "",
        "\0\0",
        "   ",
        '"',
        '70,1,70,"Homer: never closed, and on it goes',
        "Lisa Simpson: no columns at all",
        ",,,,,,,,,,,,",
        csv_line(row(71, "Lisa Simpson", "Hello", episode="four")),
        csv_line(row(72, "", "Somebody said this.")),
        csv_line(good[3]),
        csv_line(row(73, "Lisa Simpson", "Two\nlines,\nthree")),
        csv_line(row(74, "Lisa Simpson", "A \0NUL in it")),
        csv_line([*good[5], "fourteenth"]),
        '75,1,75,"Marge: it may, be,75,true,1,1,Marge,Home,"this",that,9',
    ]
    for index, line in enumerate(bad):
        lines.insert(3 * index + 2, line)
    lines.append(heading(99, "Moe's"))
    return write_script(path, lines)


def test_nothing_is_dropped_silently_from_a_hostile_file(tmp_path: Path) -> None:
    script, out = hostile_script(tmp_path / "script.csv"), tmp_path / "out"
    assert main([str(script), "--character", "lisa", "--out", str(out)]) == 0
    counts = manifest(out)["counts"]
    with (out / REJECTED).open(newline="", encoding="utf-8") as file:
        rejected = list(csv.DictReader(file))
    kept_lines = counts["spoken_lines"] + counts["silent_lines"] + counts["headings"]
    assert counts["rows_read"] == counts["rows_kept"] + counts["rows_rejected"]
    assert counts["rows_kept"] == kept_lines == 40 + 10 + 2 + 1
    assert counts["rows_rejected"] == len(rejected) == 9
    assert counts["rows_repaired"] == 10 + 1
    assert counts["blank_lines"] == 3
    source = script.read_text(encoding="utf-8").replace("\0", "").split("\n")
    assert all(source[int(row["line"]) - 1] == row["text"] for row in rejected)
    assert_windows_are_right(pd.read_parquet(out / QA_PAIRS), 3)


def test_the_published_format_is_read_to_the_last_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = real_or_made("simpsons_sample.csv", sample_script(tmp_path / "sample.csv"))
    out = tmp_path / "out"
    assert main([str(script), "--character", "lisa", "--out", str(out), "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    numbers = {key: counts[key] for key in ("rows_read", "rows_kept", "spoken_lines", "headings", "scenes", "episodes")}
    assert numbers == {
        "rows_read": 12,
        "rows_kept": 12,
        "spoken_lines": 11,
        "headings": 1,
        "scenes": 3,
        "episodes": 2,
    }
    pairs = pd.read_parquet(out / QA_PAIRS)
    target = pairs[pairs["is_target"]]
    assert set(target["speaker"]) == {"Lisa Simpson"}
    assert [len(context) for context in target["context"]] == [1, 3, 0]
    assert not target["answer"].str.contains("(", regex=False).any()
    assert target["direction"].str.isupper().tolist() == [True, False, True]
    assert '"' in pairs["answer"].iloc[-1]
    assert manifest(out)["disagreements"] == {}


def test_a_show_without_places_is_read_by_episodes(tmp_path: Path) -> None:
    script = real_or_made("office_script_lines.csv", office_script(tmp_path / "office.csv"))
    out = tmp_path / "out"
    assert main([str(script), "--character", "dwight", "--out", str(out)]) == 0
    found = manifest(out)
    counts = found["counts"]
    assert found["character"] == "Dwight"
    assert counts["scenes"] == counts["episodes"]
    assert counts["joint_lines"] > 0
    assert counts["silent_lines"] > 0
    assert found["aliases"]["Dwight."] == "Dwight"
    pairs, target = pd.read_parquet(out / QA_PAIRS), pd.read_parquet(out / TARGET_PAIRS)
    assert_windows_are_right(pairs, 3)
    assert (pairs.groupby("episode_id")["split"].nunique() == 1).all()
    shares = target["split"].value_counts(normalize=True)
    assert [shares["train"], shares["validation"], shares["test"]] == pytest.approx([0.8, 0.1, 0.1], abs=0.05)
    assert not target["answer"].str.contains(r"[\[\]]").any()


def test_the_manifest_says_what_the_files_hold(tmp_path: Path) -> None:
    script, out = office_script(tmp_path / "office.csv"), tmp_path / "out"
    assert main([str(script), "--character", "Dwight", "--out", str(out), "--context", "2", "--seed", "7"]) == 0
    found = manifest(out)
    frames = {name: pd.read_parquet(out / name) for name in (QA_PAIRS, TARGET_PAIRS, TARGET_ANSWERS)}
    data = script.read_bytes()
    assert found["format"] == 1
    assert found["source"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert found["source"]["bytes"] == len(data)
    assert found["settings"] == {"context": 2, "seed": 7, "columns": {}, "split_by": "episode"}
    assert found["counts"]["qa_pairs"] == len(frames[QA_PAIRS]) == found["counts"]["spoken_lines"]
    assert found["counts"]["target_pairs"] == len(frames[TARGET_PAIRS]) == len(frames[TARGET_ANSWERS])
    for split, of in found["counts"]["splits"].items():
        part = frames[QA_PAIRS][frames[QA_PAIRS]["split"] == split]
        numbers = [part["episode_id"].nunique(), len(part), part["is_target"].sum()]
        assert numbers == [of["episodes"], of["qa_pairs"], of["target_pairs"]]


def test_the_same_script_gives_the_same_folder(tmp_path: Path) -> None:
    script = office_script(tmp_path / "office.csv")
    for name in ("one", "two"):
        assert main([str(script), "--character", "dwight", "--out", str(tmp_path / name)]) == 0
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) >= 10
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_the_report_is_one_page_with_its_charts_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    hostile_script(tmp_path / "script.csv")
    assert main([str(tmp_path / "script.csv"), "--character", "lisa", "--out", str(out)]) == 0
    page = (out / REPORT).read_text(encoding="utf-8")
    charts = {path.name for path in (out / "charts").iterdir()}
    assert charts == {f"{name}.png" for name in ("characters", "episodes", "answers", "scenes", "odd_rows")}
    assert page.count("<svg") == len(charts)
    assert all(link.startswith("#") for link in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert "Lisa Simpson: no columns at all" in page


def test_text_of_the_script_is_never_markup_in_the_report(tmp_path: Path) -> None:
    words = "<script>alert(1)</script> $x_1$ and that is all & more"
    rows = [row(n, "<b>Lisa</b>", words, episode=n) for n in range(1, 8)]
    out = tmp_path / "out"
    script = write_script(tmp_path / "script.csv", [*rows, "<i>odd</i>"])
    assert main([str(script), "--character", "<b>lisa</b>", "--out", str(out)]) == 0
    page = (out / REPORT).read_text(encoding="utf-8")
    assert not any(tag in page for tag in ("<script>", "<b>Lisa", "<i>odd"))


def test_mapped_columns_need_no_episodes_and_the_split_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = tmp_path / "show.csv"
    with show.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Who", "Said"])
        writer.writerows((("Ada", "Ben")[n % 2], f"(NODS) Line {n}, exactly.") for n in range(400))
    out = tmp_path / "out"
    assert main([str(show), "--columns", "speaker=Who,text=Said", "--character", "ada", "--out", str(out)]) == 0
    assert "split by tenths of the show" in capsys.readouterr().out
    found = manifest(out)
    assert found["settings"]["columns"] == {"speaker": "Who", "text": "Said"}
    assert found["settings"]["split_by"] == "block"
    assert all(of["target_pairs"] for of in found["counts"]["splits"].values())
    assert pd.read_parquet(out / TARGET_PAIRS)["answer"].iloc[0] == "Line 0, exactly."


def test_characters_are_listed_with_their_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = sample_script(tmp_path / "script.csv")
    assert main([str(script), "--list-characters"]) == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert first.split() == ["Lisa", "Simpson", "3"]
    assert len(others) == 6
    assert main([str(script), "--list-characters", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["BUDDY"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: SCRIPT"),
        (["s.csv"], "--character NAME and --out DIR are needed, or --list-characters"),
        (["s.csv", "--columns", "who", "--list-characters"], "argument --columns: 'who' is not of the form"),
        (["s.csv", "--columns", "speaker=a", "--list-characters"], "argument --columns: text=... is missing"),
        (["s.csv", "--columns", "speaker=a,text=b,mood=c"], 'argument --columns: there is no "mood"'),
        (["s.csv", "--context", "-1"], "argument --context: "),
        (["s.csv", "--context", "9" * 20], "argument --context: "),
    ],
)
def test_wrong_usage_is_one_line_and_status_two(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {message}")
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_input_that_will_not_do_is_one_line_and_status_one_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = sample_script(tmp_path / "script.csv")
    for character, file in (("lsia", script), ("lisa", tmp_path / "none.csv")):
        assert main([str(file), "--character", character, "--out", str(tmp_path / "out")]) == 1
        printed = capsys.readouterr()
        assert printed.err.startswith("error: ")
        assert printed.err.count("\n") == 1
        assert printed.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["script.csv"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = sample_script(tmp_path / "script.csv")
    assert main([str(script), "--character", "lisa", "--out", str(tmp_path / ("x" * 300))]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {tmp_path}")
    assert printed.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["script.csv"]


def test_dollar_signs_in_a_name_are_no_formula(tmp_path: Path) -> None:
    rows = [row(n, "Joey Bada$$", "Hi", episode=n) for n in range(1, 8)]
    script = write_script(tmp_path / "script.csv", rows)
    assert main([str(script), "--character", "joey", "--out", str(tmp_path / "out")]) == 0
    assert "Joey Bada$$" in (tmp_path / "out" / REPORT).read_text(encoding="utf-8")


def test_an_interruption_while_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("data_prep.report.write_report", interrupted)
    script = sample_script(tmp_path / "script.csv")
    assert main([str(script), "--character", "lisa", "--out", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "interrupted; nothing was written\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["script.csv"]


def test_help_loads_no_heavy_library() -> None:
    check = "import sys, data_prep.__main__, data_prep.schema; print({'pandas', 'pyarrow', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_command_ends_quietly_when_its_reader_has_seen_enough(tmp_path: Path) -> None:
    rows = [row(n, f"Person {n} of many in this long town of names", "Hello.") for n in range(3000)]
    script = write_script(tmp_path / "script.csv", rows)
    command = [sys.executable, "-m", "data_prep", str(script), "--list-characters"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0

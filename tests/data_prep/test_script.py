import csv
import gzip
import random
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.schema import ScriptError
from data_prep.script import Script, read_script
from tests.data_prep.scripts import HEADER, broken_line, cast_of, csv_line, read, row, write_script

LINES = [row(number, "Lisa Simpson", f"This is page {number}, or so.") for number in range(1, 6)]


def reasons(script: Script) -> list[tuple[int, str]]:
    return sorted((reject.line, reject.reason) for reject in script.rejected)


def texts(rows: pd.DataFrame) -> list[str]:
    return [str(text) for text in rows["raw_text"]]


@pytest.mark.parametrize(
    ("encoding", "named"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252"), ("utf-16", "utf-16")]
)
def test_each_encoding_gives_the_same_rows_and_is_named(tmp_path: Path, encoding: str, named: str) -> None:
    rows = [*LINES, row(9, "Zoë", "Déjà vu — again, “twice”.")]
    script, kept = read(write_script(tmp_path / "script.csv", rows, encoding))
    assert script.encoding == named
    assert texts(kept)[-1] == "Zoë: Déjà vu — again, “twice”."
    assert script.rows_read == len(kept) == len(rows)
    assert script.repairs.total() == 0


def test_gzip_parquet_and_carriage_returns_read_like_plain_csv(tmp_path: Path) -> None:
    plain = write_script(tmp_path / "script.csv", LINES)
    (tmp_path / "script.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (tmp_path / "windows.csv").write_bytes(plain.read_bytes().replace(b"\n", b"\r\n"))
    (tmp_path / "old.csv").write_bytes(plain.read_bytes().replace(b"\n", b"\r"))
    frame = pd.read_csv(plain)  # numbers, booleans and missing values, as a person would save them
    frame["character_id"] = 9.0
    frame.to_parquet(tmp_path / "script.parquet")
    expected = texts(read(plain)[1])
    for name in ("script.csv.gz", "windows.csv", "old.csv", "script.parquet"):
        _, kept = read(tmp_path / name)
        assert texts(kept) == expected, name
    assert set(kept["character_id"]) == {"9"}


def test_a_field_over_several_lines_is_one_row(tmp_path: Path) -> None:
    fields = row(7, "Homer Simpson", 'First, a list:\n\nbread\n"more" bread')
    script, kept = read(write_script(tmp_path / "script.csv", [LINES[0], fields, LINES[1]]))
    assert 'Homer Simpson: First, a list: bread "more" bread' in texts(kept)
    assert script.rows_read == 3
    assert not script.rejected


def test_unescaped_quotes_are_repaired_and_counted(tmp_path: Path) -> None:
    fields = row(7, "Homer Simpson", 'I said "now", I meant "later", and slept.')
    script, kept = read(write_script(tmp_path / "script.csv", [*LINES, broken_line(fields)]))
    assert 'Homer Simpson: I said "now", I meant "later", and slept.' in texts(kept)
    assert script.repairs == {"unescaped_quotes": 1}


def test_quotes_inside_an_unquoted_field_are_text(tmp_path: Path) -> None:
    fields = row(7, "Homer Simpson", 'A "doughnut" please')
    script, kept = read(write_script(tmp_path / "script.csv", [broken_line(fields)]))
    assert texts(kept) == ['Homer Simpson: A "doughnut" please']
    assert not script.repairs


def test_a_quote_that_never_closes_swallows_no_other_row(tmp_path: Path) -> None:
    runaway = csv_line(LINES[1]).replace('so."', "so.", 1)
    script, kept = read(write_script(tmp_path / "script.csv", [LINES[0], runaway[:70], *LINES[2:]]))
    assert len(kept) == 4
    assert reasons(script) == [(3, "quotes that do not pair")]


def test_rejected_rows_keep_line_reason_and_text(tmp_path: Path) -> None:
    wrong = csv_line(row(6, "Lisa Simpson", "Hello", episode="pilot"))
    mute = csv_line(row(8, "Lisa Simpson", "Hello", speaking="maybe"))
    rows = [LINES[0], "only,three,fields", "", wrong, LINES[1], mute, LINES[0], '"', csv_line([*LINES[2], "x", "y"])]
    script, kept = read(write_script(tmp_path / "script.csv", rows))
    assert reasons(script) == [
        (3, "3 fields instead of 13"),
        (5, "episode_id is not a whole number"),
        (7, "speaking_line is neither true nor false"),
        (8, "repeats an earlier row"),
        (9, "quotes that do not pair"),
        (10, "15 fields instead of 13"),
    ]
    assert {reject.line: reject.text for reject in script.rejected}[5] == wrong
    assert script.blank_lines == 1
    assert script.rows_read == 8 == len(kept) + len(script.rejected)
    assert 8 not in script.gaps  # a repeated row leaves nothing out


def test_nul_bytes_are_removed_and_counted(tmp_path: Path) -> None:
    script, kept = read(write_script(tmp_path / "script.csv", [LINES[0], csv_line(LINES[1]).replace("page", "pa\0ge")]))
    assert texts(kept)[1] == "Lisa Simpson: This is page 2, or so."
    assert script.repairs == {"nul_bytes": 1}


def test_text_that_was_decoded_wrongly_before_it_was_saved_is_mended(tmp_path: Path) -> None:
    words = "‘Twas a café — naïve"
    garbled = words.encode().decode("cp1252")
    script, kept = read(write_script(tmp_path / "script.csv", [row(1, "Lisa Simpson", garbled)]))
    assert texts(kept) == [f"Lisa Simpson: {words}"]
    assert script.repairs == {"wrong_decoding": 1}


@pytest.mark.parametrize(("text", "mended"), [("Ã\x81gua", "Água"), ("à€€", "à€€"), ("Â€", "Â€"), ("Ça va", "Ça va")])
def test_only_what_decodes_is_taken_for_garbled(tmp_path: Path, text: str, mended: str) -> None:
    _, kept = read(write_script(tmp_path / "script.csv", [row(1, "Lisa Simpson", text)]))
    assert texts(kept) == [f"Lisa Simpson: {mended}"]


def test_rows_come_in_the_order_of_the_show(tmp_path: Path) -> None:
    rows = [row(2, "B", "two", episode=2), row(1, "A", "one", episode=2), row(9, "C", "nine", episode=1)]
    _, kept = read(write_script(tmp_path / "script.csv", rows))
    assert list(kept["character"]) == ["C", "A", "B"]


def test_an_id_used_twice_is_counted_and_kept(tmp_path: Path) -> None:
    other = row(1, "Bart Simpson", "Me too.")
    script, kept = read(write_script(tmp_path / "script.csv", [LINES[0], other]))
    assert len(kept) == 2
    assert script.ids_used_twice == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "script.csv: the file is empty"),
        (b"\n\n  \n", "script.csv: the file is empty"),
        (HEADER.encode(), "script.csv: a header and no rows"),
        (HEADER.encode() + b"\nrubbish\n", "script.csv: no usable row (1 read, all rejected)"),
        (b"a,b,a\n1,2,3\n", 'script.csv: the header names the column "a" twice'),
        (b"\x1f\x8bnot gzip", "script.csv: cannot be read: a damaged gzip file"),
        (b"name,line\nA,b\n", 'script.csv: no column "id" (it has: name, line); map another show\'s with --columns'),
    ],
)
def test_a_file_that_will_not_do_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "script.csv"
    path.write_bytes(content)
    with pytest.raises(ScriptError) as refused:
        read_script(path)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_false_parquet_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="no such file"):
        read_script(tmp_path / "nothing.csv")
    (tmp_path / "script.parquet").write_bytes(b"PAR1 or not")
    with pytest.raises(ScriptError, match="not a Parquet file"):
        read_script(tmp_path / "script.parquet")


def test_two_parquet_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table([["Ada"], ["Hi"], ["Ho"]], names=["who", "line", "line"]), tmp_path / "show.parquet")
    with pytest.raises(ScriptError, match='names the column "line" twice'):
        read_script(tmp_path / "show.parquet", {"speaker": "who", "text": "line"})


def test_episodes_in_the_digits_of_another_script_are_names(tmp_path: Path) -> None:
    path = tmp_path / "show.csv"
    path.write_text("Season,Who,Line\n١,Ada,Hi\n٢,Ben,Ho\n", encoding="utf-8")
    _, kept = read(path, {"speaker": "Who", "text": "Line", "episode": "Season"})
    assert list(kept["episode_id"]) == ["١", "٢"]


def test_columns_of_another_show_are_mapped_by_name(tmp_path: Path) -> None:
    path = tmp_path / "show.csv"
    path.write_text('Season,Who,Where,Line\ns1,Ada,Lab,"Hello, (WAVES) you"\ns1,Ben,Lab,Hi\ns2,Ada,Roof,Rain!\n')
    _, kept = read(path, {"speaker": "Who", "text": "Line", "episode": "Season", "location": "Where"})
    assert list(kept["episode_id"]) == ["s1", "s1", "s2"]
    assert list(kept["character"]) == ["Ada", "Ben", "Ada"]
    assert list(kept["place"]) == ["Lab", "Lab", "Roof"]


def test_a_mapped_show_keeps_its_multi_line_fields_and_rejects_its_broken_rows(tmp_path: Path) -> None:
    path = tmp_path / "show.csv"
    path.write_text('who,line\nAda,"One\nBen, two"\nBen,"so "loud", you\nAda,,\nBen,Bye\n,\n')
    script, kept = read(path, {"speaker": "who", "text": "line"})
    assert texts(kept) == ["One Ben, two", "Bye"]
    assert reasons(script) == [(4, "quotes that do not pair"), (5, "3 fields instead of 2"), (7, "no text")]


def test_a_mapped_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "show.csv"
    path.write_text("who,line\nAda,Hi\n")
    with pytest.raises(ScriptError, match=r'no column "name" \(it has: who, line\)$'):
        read_script(path, {"speaker": "name", "text": "line"})


def test_a_parquet_row_of_a_strange_type_is_rejected_with_its_content(tmp_path: Path) -> None:
    frame = pd.DataFrame([row(1, "Lisa Simpson", "Hello"), row(2, "Lisa Simpson", "Bye")], columns=HEADER.split(","))
    frame["episode_id"] = pd.Series([[1], [2]])
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "script.parquet")
    with pytest.raises(ScriptError, match="2 read, all rejected"):
        read_script(tmp_path / "script.parquet")


@pytest.mark.parametrize("seed", range(5))
def test_a_well_formed_file_reads_as_the_csv_module_reads_it(tmp_path: Path, seed: int) -> None:
    letters = random.Random(seed)
    said = ["A" + "".join(letters.choices('ab",\n é\t', k=letters.randrange(30))) + "z" for _ in range(120)]
    path = write_script(tmp_path / "script.csv", [row(n, "Lisa", words) for n, words in enumerate(said, 1)])
    with path.open(newline="", encoding="utf-8") as file:
        expected = [" ".join(fields["raw_text"].split()) for fields in csv.DictReader(file)]
    script, kept = read(path)
    assert texts(kept) == expected
    assert not script.rejected
    assert not script.repairs


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_file_loses_no_row_without_a_word(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    rows = [row(n, "Lisa", f'So "{n}", then, (NODS) no.') for n in range(1, 40)]
    path = write_script(tmp_path / "script.csv", rows)
    head, _, body = path.read_bytes().partition(b"\n")
    damaged = bytearray(body)
    for _ in range(chance.choice([1, 5, 40])):
        at = chance.randrange(len(damaged))
        damaged[at : at + chance.choice([0, 1, 60])] = chance.choice([b'"', b",", b"\n", b"\r", b"\0", b"\xff", b""])
    path.write_bytes(head + b"\n" + damaged)
    found, kept = cast_of(path)
    lines = [*kept["line"], *(reject.line for reject in found.rejected)]
    assert read_script(path).rows_read == len(lines)
    assert len(set(lines)) == len(lines)
    whole = {csv_line(fields).encode() for fields in rows}
    assert {line for line, text in enumerate(bytes(damaged).split(b"\n"), 2) if text in whole} <= set(lines)

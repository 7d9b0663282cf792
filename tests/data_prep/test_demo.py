"""The script that ships: its form, how much there is of it, that nothing recurs, and that none of it is another's."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import pandas as pd
import pytest

from data_prep.preparation import Request, prepare
from data_prep.schema import SCRIPT_COLUMNS, SPLITS, TARGET_PAIRS
from tests.data_prep.fingerprints import known_runs, main, read_fingerprints
from tests.data_prep.scripts import row, write_script

DEMO = Path(__file__).parents[2] / "data_prep" / "demo" / "springfield_script_lines.csv"
OTHER_SCRIPTS = Path(__file__).with_name("other_scripts.bin")
LISA = "Lisa Simpson"
NEAR = 0.75  # of the different words of two lines are in both
CAST = """Bart Simpson, Homer Simpson, Marge Simpson, Grampa Simpson, Milhouse Van Houten, Ralph Wiggum,
    Nelson Muntz, Janey Powell, Sherri, Terri, Martin Prince, Miss Hoover, Edna Krabappel, Principal Skinner,
    Groundskeeper Willie, Otto Mann, Lunchlady Doris, Mr. Largo, Ned Flanders, Rod Flanders, Todd Flanders,
    Apu Nahasapeemapetilon, Moe Szyslak, Barney Gumble, Lenny Leonard, Carl Carlson, Mr. Burns, Waylon Smithers,
    Chief Wiggum, Mayor Quimby, Krusty the Clown, Sideshow Mel, Comic Book Guy, Dr. Hibbert, Reverend Lovejoy,
    Kent Brockman, Patty Bouvier, Selma Bouvier, Professor Frink, Hans Moleman, Fat Tony, Cletus Spuckler,
    Agnes Skinner"""

Row = dict[str, str]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with DEMO.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == SCRIPT_COLUMNS
        return list(reader)


@pytest.fixture(scope="module")
def lines(rows: list[Row]) -> list[Row]:
    """The spoken lines."""
    return [row for row in rows if row["speaking_line"] == "true"]


@pytest.fixture(scope="module")
def own(lines: list[Row]) -> list[str]:
    """What Lisa says."""
    return [line["spoken_words"] for line in lines if line["raw_character_text"] == LISA]


def scenes(rows: Sequence[Row]) -> list[list[str]]:
    """Who speaks in each scene, line by line; a scene begins with its heading."""
    found: list[list[str]] = []
    for each in rows:
        if is_heading(each):
            found.append([])
        elif each["speaking_line"] == "true":
            found[-1].append(each["raw_character_text"])
    return found


def is_heading(row: Row) -> bool:
    return row["raw_text"].startswith(f"({row['raw_location_text']}: ")


def episodes(rows: Sequence[Row]) -> list[list[Row]]:
    return [list(inside) for _, inside in groupby(rows, key=lambda each: each["episode_id"])]


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", re.sub("['’]", "", text.lower()))


def sentences(text: str) -> int:
    return len(re.findall(r"[.!?…]+['’]?(?=\s|$)", re.sub(r"\b(Mr|Mrs|Ms|Dr|St)\.", r"\1", text)))


def near_duplicates(texts: Sequence[str], nearness: float = NEAR) -> Iterator[tuple[int, int]]:
    """Pairs of texts with so great a Jaccard index of their words. Two that are so alike share one of their rarest
    words, of which each has as many as it may lack, and one more (Chaudhuri et al., 2006, prefix filter).
    """
    bags = [frozenset(words(text)) for text in texts]
    common = Counter(word for bag in bags for word in bag)
    having: defaultdict[str, list[int]] = defaultdict(list)
    for index, bag in enumerate(bags):
        lacking = len(bag) - math.ceil(nearness * len(bag))
        rarest = sorted(bag, key=lambda word: (common[word], word))[: lacking + 1]
        for other in sorted({other for word in rarest for other in having[word]}):
            if len(bag & bags[other]) >= nearness * len(bag | bags[other]):
                yield other, index
        for word in rarest:
            having[word].append(index)


def test_ids_ascend_and_every_episode_counts_its_rows_from_nought(rows: list[Row]) -> None:
    assert [int(each["id"]) for each in rows] == list(range(1, len(rows) + 1))
    numbers = [[int(each["number"]) for each in episode] for episode in episodes(rows)]
    assert numbers == [list(range(len(episode))) for episode in numbers]
    assert len(numbers) == len({each["episode_id"] for each in rows})


def test_time_never_runs_backwards_within_an_episode(rows: list[Row]) -> None:
    for episode in episodes(rows):
        times = [int(each["timestamp_in_ms"]) for each in episode]
        assert times[0] == 0
        assert times == sorted(times)


def test_every_episode_opens_with_a_heading_and_places_change_nowhere_else(rows: list[Row]) -> None:
    for episode in episodes(rows):
        assert is_heading(episode[0])
        moved = [after for before, after in pairwise(episode) if before["location_id"] != after["location_id"]]
        assert all(is_heading(each) for each in moved)


def test_rows_that_nobody_speaks_stand_in_brackets_and_name_no_character(rows: list[Row]) -> None:
    silent = [each for each in rows if each["speaking_line"] == "false"]
    empty = ("character_id", "raw_character_text", "spoken_words", "normalized_text", "word_count")
    assert all(re.fullmatch(r"\([^()]+\)", each["raw_text"]) for each in silent)
    assert not [each["id"] for each in silent if any(each[column] for column in empty)]


def test_directions_are_in_capitals_and_only_in_the_raw_text(lines: list[Row]) -> None:
    for line in lines:
        speaker, words_and_directions = line["raw_text"].split(": ", 1)
        assert speaker == line["raw_character_text"]
        directions = re.findall(r"\([^)]*\)", words_and_directions)
        assert all(direction.isupper() for direction in directions), line["raw_text"]
        without = " ".join(re.sub(r"\([^)]*\)", "", words_and_directions).split())
        assert line["spoken_words"] == without != ""


def test_normalized_words_and_their_count_follow_from_what_is_spoken(lines: list[Row]) -> None:
    for line in lines:
        plain = " ".join(re.sub(r"[^\w\s-]", "", line["spoken_words"].lower()).split())
        assert line["normalized_text"] == plain
        assert int(line["word_count"]) == len(plain.split())


@pytest.mark.parametrize(
    ("ident", "name"), [("character_id", "raw_character_text"), ("location_id", "raw_location_text")]
)
def test_one_id_stands_for_one_name(rows: list[Row], ident: str, name: str) -> None:
    pairs = {(each[ident], each[name]) for each in rows if each[ident] or each[name]}
    assert len({each for each, _ in pairs}) == len({each for _, each in pairs}) == len(pairs)
    assert all(ident and name for ident, name in pairs)


def test_there_is_as_much_of_it_as_the_readme_says(rows: list[Row], lines: list[Row], own: list[str]) -> None:
    readme = " ".join(DEMO.with_name("README.md").read_text(encoding="utf-8").split())
    counts = [len(lines), len(own), len(episodes(rows)), len(scenes(rows))]
    assert all(count >= least for count, least in zip(counts, (3500, 1200, 40, 200), strict=True))
    spoken, hers, shows, told = (f"{count:,}" for count in counts)
    assert f"{spoken} spoken lines, {hers} of them Lisa's, in {shows} episodes and {told} scenes;" in readme


def test_a_third_of_the_scenes_are_strangers_talking_to_her(rows: list[Row]) -> None:
    town = set(re.split(r",\s+", CAST))
    told = scenes(rows)
    with_her = [scene for scene in told if LISA in scene and not town.intersection(scene)]
    assert town <= {speaker for scene in told for speaker in scene}
    assert len(with_her) >= len(told) / 3
    readme = " ".join(DEMO.with_name("README.md").read_text(encoding="utf-8").split())
    assert f"scenes; in {len(with_her):,} of these nobody but strangers speaks with her." in readme


def test_her_lines_run_from_three_words_to_three_sentences(own: list[str]) -> None:
    assert not [line for line in own if len(line.split()) < 3 or sentences(line) > 3 or len(words(line)) > 45]


def test_she_says_nothing_twice_and_nothing_nearly_twice(own: list[str]) -> None:
    assert not [(own[one], own[other]) for one, other in near_duplicates(own)]


def test_near_duplicates_are_found() -> None:
    texts = ["I play the saxophone at night.", "My dad naps.", "At night, I play the saxophone!", "I play at night."]
    assert list(near_duplicates(texts)) == [(0, 2)]
    assert list(near_duplicates(texts, 0.6)) == [(0, 2), (0, 3), (2, 3)]


def test_no_three_words_begin_more_than_one_in_a_hundred_of_her_lines(own: list[str]) -> None:
    openings = Counter(tuple(words(line)[:3]) for line in own)
    assert max(openings.values()) <= len(own) / 100


def test_it_is_prepared_without_a_loss_and_no_episode_is_divided(tmp_path: Path) -> None:
    counted = prepare(Request(DEMO, "Lisa", tmp_path / "lisa"))
    assert counted["character"] == LISA
    assert counted["settings"]["split_by"] == "episode"
    assert not any(counted[kind] for kind in ("rejects", "repairs", "disagreements", "aliases"))
    pairs = pd.read_parquet(tmp_path / "lisa" / TARGET_PAIRS)
    assert (pairs.groupby("episode_id")["split"].nunique() == 1).all()
    assert set(pairs["split"]) == set(SPLITS)


def test_no_seven_words_in_a_row_stand_in_another_script(lines: list[Row]) -> None:
    known = read_fingerprints(OTHER_SCRIPTS)
    assert len(known) > 300_000
    assert known_runs([line["spoken_words"] for line in lines], known) == []


def test_seven_copied_words_are_found_whatever_their_case_and_punctuation(tmp_path: Path) -> None:
    said = "Nobody told me that the hamster couldn't read, and nobody told the hamster."
    script = write_script(tmp_path / "other.csv", [row(1, "Somebody", said), row(2, "Somebody", "Too short.")])
    main([str(script), "--out", str(tmp_path / "other.bin")])
    known = read_fingerprints(tmp_path / "other.bin")
    assert len(known) == len(said.split()) - 6
    assert known_runs(["He said: THE HAMSTER couldn’t read - and nobody told us"], known) == [
        "the hamster couldnt read and nobody told"
    ]
    assert known_runs(["The hamster couldn't read, and nobody knew why it was so"], known) == []

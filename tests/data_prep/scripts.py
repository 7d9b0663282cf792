"""Scripts made by hand for the tests: the columns and traits of the real ones, with sentences of our own."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from data_prep.schema import SCRIPT_COLUMNS
from data_prep.script import Script, read_script
from data_prep.speakers import Cast, find_speakers

HEADER = ",".join(SCRIPT_COLUMNS)


def row(
    number: int,
    speaker: str,
    words: str,
    *,
    episode: int | str = 1,
    place: str = "Home",
    raw: str | None = None,
    character: str | None = None,
    character_id: str = "",
    speaking: str = "true",
    spoken: str | None = None,
) -> list[str]:
    """The 13 fields of a line; what is not given follows from speaker and words as it does in a real script."""
    spoken = " ".join(re.sub(r"\([^)]*\)", "", words).split()) if spoken is None else spoken
    normalised = re.sub(r"[^\w\s-]", "", spoken.lower())
    raw = (f"{speaker}: {words}" if speaker else words) if raw is None else raw
    character = speaker if character is None else character
    ident = f"{episode if isinstance(episode, int) else 9}{number:04}"
    place_id = str(sum(map(ord, place))) if place else ""
    count = str(len(normalised.split())) if normalised else ""
    return [
        *(ident, str(episode), str(number), raw, str(number * 1000), speaking, character_id, place_id),
        *(character, place, spoken, normalised, count),
    ]


def heading(number: int, place: str, *, episode: int = 1) -> list[str]:
    return row(number, "", f"({place}: Ext. {place} - day)", episode=episode, place=place, speaking="false", spoken="")


def csv_line(fields: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue()[:-1]


def broken_line(fields: Sequence[str]) -> str:
    """The row as a careless writer leaves it: quoted where it holds a comma, the quotes inside not doubled."""
    return ",".join(f'"{field}"' if "," in field else field for field in fields)


def write_script(path: Path, rows: Iterable[Sequence[str] | str], encoding: str = "utf-8") -> Path:
    """Writes a 13-column file; a row that is a string goes in as it is."""
    lines = [fields if isinstance(fields, str) else csv_line(fields) for fields in rows]
    path.write_bytes(("\n".join([HEADER, *lines]) + "\n").encode(encoding))
    return path


def sample_script(path: Path) -> Path:
    """Twelve rows with every trait of the published Simpsons file, its inner quotes in an unquoted field included."""
    school, flat, hall = "Springfield Elementary School", "Apartment Building", "Springfield Convention Center"
    rows = [
        row(1, "Miss Hoover", "Yes, class, the hamster is resting, and no, he will not wake up.", place=school),
        row(2, "Lisa Simpson", "(QUIETLY) Who fed him glue?", place=school),
        row(3, "Miss Hoover", "Nobody is accusing anybody. Open your books at page nine.", place=school),
        row(4, "Lisa Simpson", "Page nine is missing.", place=school),
        row(5, "Edna Krabappel-Flanders", "Hands up, (TIRED) whoever ate it, and be quick.", place=school),
        row(6, "Martin Prince", "(PROUD) I only ate the index.", place=school),
        row(7, "Edna Krabappel-Flanders", "Nelson?", place=school),
        row(8, "Bart Simpson", "He had page nine for lunch!", place=school),
        heading(9, flat),
        row(10, "Lisa Simpson", "(KNOCKING) Hello! Hello!", place=flat),
        row(11, "Landlady", "He left, dear, this morning, with a trunk of maps.", place=flat),
    ]
    quoted = row(45, "BUDDY", '(COUGHS) We open with "Hats" -- it is all song', episode=2, place=hall)
    return write_script(path, [*rows, broken_line(quoted)])


def office_script(path: Path, episodes: int = 24, lines: int = 40) -> Path:
    """A show without places: a character in a hundred ways, misspelt names, several speakers in a cell."""
    people = ["Michael", "Dwight", "Jim", "Pam"]
    rows = []
    for episode in range(1, episodes + 1):
        for number in range(lines):
            speaker = people[(number * 7 + episode) % len(people)]
            words = f"(LOOKS UP) I counted {number} sheets of paper, not {episode}."
            rows.append(row(number, speaker, words, episode=episode, place=""))
    first = [row(90, name, "That was me, whatever they wrote.", place="") for name in ("Dwihgt", "DWIGHT", "Dwight.")]
    together = row(93, "Michael and Dwight", "We said it at once!", place="")
    silent = row(94, "Pam", "(SMILES)", place="", speaking="false", spoken="")
    return write_script(path, [*rows, *first, together, silent])


def read(path: Path, columns: Mapping[str, str] | None = None) -> tuple[Script, pd.DataFrame]:
    """A script and all of its rows."""
    script = read_script(path, columns)
    return script, pd.concat([chunk.to_pandas() for chunk in script.chunks()], ignore_index=True)


def cast_of(path: Path, columns: Mapping[str, str] | None = None) -> tuple[Cast, pd.DataFrame]:
    """A script's cast and all of its lines."""
    cast = find_speakers(read_script(path, columns))
    return cast, pd.concat(cast.chunks(), ignore_index=True)

"""Who speaks, and what is said: raw_text taken apart and cross-checked with the columns that say it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_prep.directions import BRACKETS, split_directions
from data_prep.names import joint_names, one_spelling
from data_prep.repair import after_speaker, letters_only
from data_prep.schema import Reject
from data_prep.script import Progress, Script
from data_prep.shelf import Shelf

_SPEAKER_LINE = r"(?s)^(?P<name>[^:]{1,80}?)\s*:\s*(?P<words>.*)$"
_KEPT = ("line", "line_id", "episode_id", "place", "location")


@dataclass(slots=True)
class Cast:
    """Who speaks in a script; `chunks` gives its rows with who speaks and what is said.

    `kept` counts the rows: spoken, heading, or silent, which is neither: somebody does something. `aliases` gives the
    name for each other spelling of it, `joint` the names that are several others.
    """

    rejected: list[Reject]
    gaps: list[int]
    disagreements: Counter[str] = field(default_factory=Counter)
    aliases: dict[str, str] = field(default_factory=dict)
    joint: set[str] = field(default_factory=set)
    kept: Counter[str] = field(default_factory=Counter)
    _spoken: Counter[str] = field(default_factory=Counter)  # lines by name
    _shelf: Shelf = field(default_factory=Shelf)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """The rows that are kept, in the order of the show, some whole episodes at a time.

        The columns are line, line_id: int64; episode_id: int64 or str; place, location, speaker, text, direction: str;
        spoken, heading: bool.
        """
        for table in self._shelf:
            lines = table.to_pandas()
            renamed = lines["speaker"].isin(list(self.aliases))
            if renamed.any():
                lines.loc[renamed, "speaker"] = lines.loc[renamed, "speaker"].map(self.aliases)
            yield lines

    def after_gaps(self) -> NDArray[np.int64]:
        """The lines of the file whose row has lost one between itself and the row kept before it, wherever that is."""
        end = np.iinfo(np.int64).max
        gaps = np.unique(np.array(self.gaps, np.int64))
        after, first = np.full(len(gaps), end), end
        for table in self._shelf if self.gaps else ():
            lines = np.append(np.sort(table["line"].to_numpy()), end)
            after, first = np.minimum(after, lines[np.searchsorted(lines, gaps)]), min(first, lines[0])
        return np.setdiff1d(after, [first, end])

    @property
    def joint_lines(self) -> int:
        return sum(self._spoken[name] for name in self.joint)

    def lines_per_character(self) -> dict[str, int]:
        """Spoken lines by name, most first; lines that several speak together are no one's own."""
        return {name: count for name, count in self._spoken.most_common() if name not in self.joint}

    def put(self, lines: Any) -> None:
        """Takes the next chunk, its names as they are spelt."""
        self._shelf.put(lines.drop_columns("source"))
        spoken, heading = (_count(lines[kind]) for kind in ("spoken", "heading"))
        self.kept.update(spoken=spoken, heading=heading, silent=len(lines) - spoken - heading)

    def settle(self, names: Counter[tuple[str, str]], spoken: Counter[str]) -> None:
        """Gives every character one spelling. The counts are rows by spelling and character_id, and spoken ones."""
        own_id: dict[str, str] = {}
        rows: Counter[str] = Counter()
        for (name, ident), _ in names.most_common():
            if name and ident:
                own_id.setdefault(name, ident)
        for (name, ident), count in names.items():
            rows.update({name: count} if name else {})
            self.disagreements["character_id_differs"] += count * (ident not in ("", own_id.get(name, "")))
        self.aliases = one_spelling(rows, own_id)
        self.disagreements["another_spelling"] += sum(rows[name] for name in self.aliases)
        for name, count in spoken.items():
            self._spoken[self.aliases.get(name, name)] += count
        self.joint = joint_names(self._spoken)


def find_speakers(script: Script, progress: Progress = lambda share: None) -> Cast:
    """Takes every row apart. A row that is spoken by nobody is rejected; what disagrees is counted by kind."""
    cast = Cast(script.rejected, script.gaps)
    apart, said = Counter[str](), Counter[str]()
    names, spoken = Counter[tuple[str, str]](), Counter[str]()
    nobody: list[Reject] = []
    for rows in script.chunks(progress):
        lines = _lines(rows, script, apart, said)
        unknown = pc.and_(pc.equal(lines["speaker"], ""), lines["spoken"])
        if pc.any(unknown).as_py():
            found = lines.filter(unknown).select(["line", "source"]).to_pylist()
            nobody += [Reject(each["line"], "spoken by nobody", each["source"]) for each in found]
            lines = lines.filter(pc.invert(unknown))
        names.update(_counted(lines, ["speaker", "character_id"]))
        spoken.update(_counted(lines.filter(lines["spoken"]), ["speaker"]))
        cast.put(lines.drop_columns("character_id"))
    cast.rejected = script.rejected + nobody
    cast.gaps = script.gaps + [reject.line for reject in nobody]
    cast.disagreements.update({"id_used_twice": script.ids_used_twice, **apart, **said})
    cast.settle(names, spoken)
    cast.disagreements = Counter(dict((+cast.disagreements).most_common()))
    return cast


def _counted(lines: Any, columns: list[str]) -> dict[Any, int]:
    """How many rows have the same cells there, in the order of the first of each."""
    sizes = lines.select(columns).to_pandas().groupby(columns if len(columns) > 1 else columns[0], sort=False).size()
    return dict(zip(sizes.index.tolist(), sizes.tolist(), strict=True))


def _lines(rows: Any, script: Script, apart: Counter[str], said: Counter[str]) -> Any:
    """The rows with speaker, text, direction, spoken and heading in place of the columns that say it."""
    if script.mapped:
        speaker, text = (rows[name].combine_chunks() for name in ("character", "raw_text"))
    else:
        speaker, text = _taken_apart(rows, script.names, apart)
    speaker, name_direction = _strip_names(speaker)
    text, direction = _strip_words(text, name_direction)
    somebody = pc.not_equal(speaker, "")
    spoken = pc.and_(pc.not_equal(text, ""), somebody) if script.mapped else _spoken(rows, somebody, text, said)
    found = {"speaker": speaker, "text": text, "direction": direction, "spoken": spoken}
    found["heading"] = pc.invert(pc.or_(somebody, spoken))
    kept = {name: rows[name] for name in (*_KEPT, "character_id", "source")}
    return pa.table(kept | found)


def _taken_apart(rows: Any, known: set[str], apart: Counter[str]) -> tuple[Any, Any]:
    """Speaker and words of each row: at once where the columns agree, one by one where they do not."""
    raw, name, words = (rows[column].combine_chunks() for column in ("raw_text", "character", "spoken_words"))
    same = pc.equal(pc.binary_join_element_wise(name, words, ": "), raw)
    length = pc.utf8_length(name)
    plain = pc.and_(pc.greater(length, 0), pc.and_(pc.less_equal(length, 80), pc.invert(pc.match_substring(name, ":"))))
    rest = pc.invert(pc.and_(same, plain))
    if not pc.any(rest).as_py():
        return name, words
    parts = pc.extract_regex(raw.filter(rest), _SPEAKER_LINE)
    heads, tails = (pc.struct_field(parts, part) for part in ("name", "words"))
    odd = pc.fill_null(pc.not_equal(heads, name.filter(rest)), True)
    if pc.any(odd).as_py():
        columns = ("raw_text", "character", "spoken_words", "speaking")
        cells = [rows[column].filter(rest).filter(odd).to_pylist() for column in columns]
        found = [_take_apart(a, b, c, d, known) for a, b, c, d in zip(*cells, strict=True)]
        heads = pc.replace_with_mask(heads, odd, pa.array([row[0] for row in found], heads.type))
        tails = pc.replace_with_mask(tails, odd, pa.array([row[1] for row in found], tails.type))
        apart.update(kind for _, _, kind in found if kind)
    return pc.replace_with_mask(name, rest, heads), pc.replace_with_mask(words, rest, tails)


def _take_apart(raw: str, character: str, spoken: str, speaking: bool, known: set[str]) -> tuple[str, str, str]:
    """Speaker, words and the kind of disagreement ("" for none) of a row whose columns do not simply agree."""
    words = after_speaker(raw, character)
    if words is not None:
        return character, words, "" if raw.startswith(character) else "speaker_in_another_case"
    head, colon, rest = raw.partition(":")
    name = head.strip()
    certain = name.casefold() in known or (
        speaking and letters_only(spoken) != "" and letters_only(spoken) == letters_only(split_directions(rest)[0])
    )
    if colon and name and certain:
        return name, rest.strip(), "speaker_differs" if character else "no_raw_character_text"
    if character:
        return character, raw, "no_speaker_in_raw_text"
    return "", raw, ""


def _strip_names(names: Any) -> tuple[Any, Any]:
    """Names without what they hold in brackets, as in "Jan [on phone]", and that as directions."""
    bracketed = pc.match_substring_regex(names, BRACKETS)
    nothing = pa.repeat("", len(names))
    if not pc.any(bracketed).as_py():
        return names, nothing
    split = [(name, *split_directions(name)) for name in names.filter(bracketed).to_pylist()]
    bare = pa.array([bare or name for name, bare, _ in split], names.type)
    directions = pa.array([direction if bare else "" for _, bare, direction in split], names.type)
    return pc.replace_with_mask(names, bracketed, bare), pc.replace_with_mask(nothing, bracketed, directions)


def _strip_words(texts: Any, directions: Any) -> tuple[Any, Any]:
    """Words without directions, and these after the ones that a line has already."""
    bracketed = pc.match_substring_regex(texts, BRACKETS)
    if not pc.any(bracketed).as_py():
        return texts, directions
    split = [split_directions(text) for text in texts.filter(bracketed).to_pylist()]
    words = pa.array([words for words, _ in split], texts.type)
    before = directions.filter(bracketed).to_pylist()
    joined = ["; ".join(filter(None, (first, then))) for first, (_, then) in zip(before, split, strict=True)]
    joined = pa.array(joined, directions.type)
    return pc.replace_with_mask(texts, bracketed, words), pc.replace_with_mask(directions, bracketed, joined)


def _spoken(rows: Any, somebody: Any, texts: Any, said: Counter[str]) -> Any:
    """What is spoken has words; where the flag denies it, spoken_words must confirm them."""
    words, speaking = (rows[column].combine_chunks() for column in ("spoken_words", "speaking"))
    has_words, confirmed, silent = pc.not_equal(texts, ""), pc.not_equal(words, ""), pc.invert(speaking)
    spoken = pc.and_(has_words, pc.or_(speaking, pc.and_(confirmed, somebody)))
    differing = pc.and_(pc.and_(spoken, confirmed), pc.not_equal(texts, words))
    pairs = zip(texts.filter(differing).to_pylist(), words.filter(differing).to_pylist(), strict=True)
    said.update(
        spoken_words_differ=sum(letters_only(text) != _letters_spoken(word) for text, word in pairs),
        spoken_words_missing=_count(pc.and_not(spoken, confirmed)),
        speaking_without_words=_count(pc.and_not(speaking, has_words)),
        words_but_not_speaking=_count(pc.and_(silent, pc.and_(has_words, somebody))),
    )
    return spoken


def _count(mask: Any) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _letters_spoken(spoken_words: str) -> str:
    return letters_only(split_directions(spoken_words)[0])

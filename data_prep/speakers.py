"""Who speaks, and what is said: raw_text taken apart and cross-checked with the columns that say it again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data_prep.directions import BRACKETS, split_directions
from data_prep.names import joint_names, one_spelling
from data_prep.repair import after_speaker, letters_only
from data_prep.schema import Reject
from data_prep.script import Script

_RAW = ["raw_text", "spoken_words", "character", "character_id", "speaking"]
_SPEAKER_LINE = r"(?s)^(?P<name>[^:]{1,80}?)\s*:\s*(?P<words>.*)$"


@dataclass(slots=True)
class Cast:
    """`lines` are the script's rows with who speaks and what is said.

    In place of the script's columns that say it: speaker, text, direction: str; spoken, heading, joint: bool. A row
    that is neither spoken nor a heading is silent: somebody does something. `aliases` gives the name for each other
    spelling of it.
    """

    lines: pd.DataFrame
    rejected: list[Reject]
    gaps: list[int]
    disagreements: Counter[str]
    aliases: dict[str, str]

    def lines_per_character(self) -> dict[str, int]:
        """Spoken lines by name, most first; lines that several speak together are no one's own."""
        own = self.lines.loc[self.lines["spoken"] & ~self.lines["joint"], "speaker"]
        return {str(name): int(count) for name, count in own.value_counts().items()}


def find_speakers(script: Script) -> Cast:
    """Takes every row apart. A row that is spoken by nobody is rejected; what disagrees is counted by kind."""
    found: Counter[str] = Counter(script.disagreements)
    lines = _taken_apart(script, found)
    _strip_names(lines)
    _strip_words(lines)
    _decide_spoken(lines, script.mapped, found)
    nobody = (lines["speaker"] == "") & lines["spoken"]
    rejected = [Reject(line, "spoken by nobody", script.text(line)) for line in lines.loc[nobody, "line"].tolist()]
    lines = lines[~nobody].reset_index(drop=True)
    lines["heading"] = (lines["speaker"] == "") & ~lines["spoken"]
    aliases = _settle_names(lines, found)
    lines = lines.drop(columns=_RAW)
    gaps = script.gaps + [reject.line for reject in rejected]
    return Cast(lines, script.rejected + rejected, gaps, Counter(dict(found.most_common())), aliases)


def _taken_apart(script: Script, found: Counter[str]) -> pd.DataFrame:
    """Speaker and words of each row: at once where raw_text and raw_character_text agree, one by one elsewhere."""
    lines = script.rows
    if script.mapped:
        return lines.assign(speaker=lines["character"], text=lines["raw_text"])
    parts = pc.extract_regex(pa.array(lines["raw_text"]), _SPEAKER_LINE)
    name = pd.Series(pc.struct_field(parts, "name").to_pandas(), dtype="str", index=lines.index)
    words = pd.Series(pc.struct_field(parts, "words").to_pandas(), dtype="str", index=lines.index)
    odd = name.isna() | (name != lines["character"])
    if odd.any():
        known = frozenset(lines["character"].str.casefold().unique()) - {""}
        cells = [lines.loc[odd, column].tolist() for column in ("raw_text", "character", "spoken_words", "speaking")]
        rows = [_take_apart(str(a), str(b), str(c), bool(d), known) for a, b, c, d in zip(*cells, strict=True)]
        # All at once: an Arrow-backed column is copied by every assignment.
        name[odd], words[odd] = [row[0] for row in rows], [row[1] for row in rows]
        found.update(kind for _, _, kind in rows if kind)
    return lines.assign(speaker=name, text=words)


def _take_apart(raw: str, character: str, spoken: str, speaking: bool, known: frozenset[str]) -> tuple[str, str, str]:
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


def _strip_names(lines: pd.DataFrame) -> None:
    """Moves what a name holds in brackets, as in "Jan [on phone]", to the directions."""
    lines["direction"] = ""
    bracketed = lines["speaker"].str.contains(BRACKETS)
    if bracketed.any():
        split = [(name, *split_directions(name)) for name in lines.loc[bracketed, "speaker"]]
        lines.loc[bracketed, "speaker"] = [bare or name for name, bare, _ in split]
        lines.loc[bracketed, "direction"] = [direction if bare else "" for _, bare, direction in split]


def _strip_words(lines: pd.DataFrame) -> None:
    bracketed = lines["text"].str.contains(BRACKETS)
    split = [split_directions(text) for text in lines.loc[bracketed, "text"]]
    lines.loc[bracketed, "text"] = [words for words, _ in split]
    before = lines.loc[bracketed, "direction"]
    lines.loc[bracketed, "direction"] = [
        "; ".join(filter(None, (first, then))) for first, (_, then) in zip(before, split, strict=True)
    ]


def _decide_spoken(lines: pd.DataFrame, mapped: bool, found: Counter[str]) -> None:
    """What is spoken has words; where the flag denies it, spoken_words must confirm them."""
    has_words = lines["text"] != ""
    confirmed = lines["spoken_words"] != ""
    lines["spoken"] = has_words & (lines["speaking"] | (confirmed & (lines["speaker"] != "")))
    if mapped:
        lines["spoken"] = has_words & (lines["speaker"] != "")
        return
    somebody = lines["speaker"] != ""
    differing = lines[lines["spoken"] & confirmed & (lines["text"] != lines["spoken_words"])]
    pairs = zip(differing["text"], differing["spoken_words"], strict=True)
    kinds = {
        "spoken_words_differ": sum(letters_only(text) != _letters_spoken(spoken) for text, spoken in pairs),
        "spoken_words_missing": int((lines["spoken"] & ~confirmed).sum()),
        "speaking_without_words": int((lines["speaking"] & ~has_words).sum()),
        "words_but_not_speaking": int((~lines["speaking"] & has_words & somebody).sum()),
    }
    found.update({kind: count for kind, count in kinds.items() if count})


def _letters_spoken(spoken_words: str) -> str:
    return letters_only(split_directions(spoken_words)[0])


def _settle_names(lines: pd.DataFrame, found: Counter[str]) -> dict[str, str]:
    """Gives every character one spelling, in place; returns the others."""
    own_id = _commonest(lines, "speaker", "character_id")
    usual = pd.Series([own_id.get(name, "") for name in lines["speaker"]], lines.index, dtype="str")
    strange = (lines["character_id"] != usual) & (lines["character_id"] != "")
    if strange.any():
        found["character_id_differs"] += int(strange.sum())
    counts = Counter(lines.loc[lines["speaker"] != "", "speaker"].tolist())
    aliases = one_spelling(counts, own_id)
    renamed = lines["speaker"].isin(list(aliases))
    lines.loc[renamed, "speaker"] = lines.loc[renamed, "speaker"].map(aliases)
    if renamed.any():
        found["another_spelling"] += int(renamed.sum())
    lines["joint"] = lines["speaker"].isin(joint_names(lines.loc[lines["spoken"], "speaker"].unique()))
    return aliases


def _commonest(lines: pd.DataFrame, by: str, column: str) -> dict[str, str]:
    pairs = lines.loc[(lines[by] != "") & (lines[column] != "")].value_counts([by, column]).reset_index()
    first = pairs.drop_duplicates(by)
    return dict(zip(first[by], first[column], strict=True))

"""Names of characters: one spelling for each, several in one cell, and the one that a person means."""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from data_prep.schema import ScriptError

_AND = re.compile(r"\s*(?:,|&|/|\band\b)\s*", re.IGNORECASE)
_TYPO_LENGTH = 5  # letters; among shorter names one letter makes another person: Jan, Jim, Roy, Rory
_TYPO_RATIO = 30  # a typo is this much rarer than the name; closer counts may be two people: Eric, Erin
_DOMINANT = 10  # a short form means the one who speaks this many times as often as the next


def one_spelling(counts: Mapping[str, int], own_id: Mapping[str, str]) -> dict[str, str]:
    """The name for each spelling that is not it: the commonest of those that look alike and share an id, that differ
    in case or punctuation, or that are a rare slip of one letter.

    `counts` are lines by spelling; `own_id` is the character_id that a spelling mostly stands with.
    """
    aliases = _commonest({name: own_id[name] for name in counts if name in own_id}, counts)
    names = _merged(counts, aliases)
    aliases |= _commonest({name: _folded(name) for name in names}, names)
    aliases |= _typos(_merged(counts, aliases))
    return {name: _end(name, aliases) for name in counts if name in aliases}


def joint_names(names: Iterable[str]) -> set[str]:
    """Those names that are several others: "Lisa and Bart", "Jim, Pam & Michael"."""
    names = set(names)
    known = {name.casefold() for name in names}
    return {name for name in names if len(parts := _parts(name)) > 1 and known.issuperset(parts)}


def choose_character(wanted: str, lines: Mapping[str, int]) -> str:
    """The character that a person means by a full name or an unambiguous short form, whatever the case.

    `lines` are spoken lines by name. Raises ScriptError with the candidates or with similar names.
    """
    if wanted in lines:
        return wanted
    words = set(_folded(wanted).split())
    fitting = [name for name in lines if words and words <= set(_folded(name).split())]
    if not fitting:
        raise ScriptError(f'no character is called "{wanted}"{_suggestions(wanted, lines)}')
    best, *others = sorted(fitting, key=lambda name: (-lines[name], name))
    if not others or lines[best] >= _DOMINANT * lines[others[0]]:
        return best
    if whole := [name for name in fitting if _folded(name) == _folded(wanted)]:
        return whole[0]
    raise ScriptError(f'"{wanted}" could be {_listed([best, *others], lines)}; give more of the name')


def _suggestions(wanted: str, lines: Mapping[str, int]) -> str:
    """Names that look like the wanted one as a whole or in one word, the likeliest first."""
    looks: dict[str, list[str]] = defaultdict(list)
    for name in sorted(lines, key=lines.__getitem__, reverse=True):
        for look in {_folded(name), *_folded(name).split()}:
            looks[look].append(name)
    close = difflib.get_close_matches(_folded(wanted), looks, n=3, cutoff=0.6)
    names = list(dict.fromkeys(looks[look][0] for look in close))
    if not names:
        return "; --list-characters shows who speaks"
    return "; did you mean " + " or ".join(f'"{name}"' for name in names) + "?"


def _listed(names: list[str], lines: Mapping[str, int]) -> str:
    shown = ", ".join(f"{name} ({lines[name]} lines)" for name in names[:6])
    return shown + (f" or {len(names) - 6} more" if len(names) > 6 else "")


def _folded(name: str) -> str:
    return " ".join(re.sub(r"[^\w'#&/,-]+", " ", name.casefold()).split())


def _parts(name: str) -> list[str]:
    return [part for part in _AND.split(name.casefold()) if part]


def _merged(counts: Mapping[str, int], aliases: Mapping[str, str]) -> Counter[str]:
    merged: Counter[str] = Counter()
    for name, count in counts.items():
        merged[_end(name, aliases)] += count
    return merged


def _end(name: str, aliases: Mapping[str, str]) -> str:
    while name in aliases:
        name = aliases[name]
    return name


def _commonest(keys: Mapping[str, str], counts: Mapping[str, int]) -> dict[str, str]:
    """For names with the same key, the commonest of them; one that looks like another person stays as it is."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(keys, key=lambda name: (-counts[name], name)):
        groups[keys[name]].append(name)
    return {name: best for best, *others in groups.values() for name in others if _alike(name, best)}


def _alike(one: str, other: str) -> bool:
    one, other = _folded(one), _folded(other)
    if set(one.split()) & set(other.split()):
        return True
    return difflib.SequenceMatcher(None, one, other).ratio() > 0.6


def _typos(counts: Mapping[str, int]) -> dict[str, str]:
    by_start: dict[str, list[str]] = defaultdict(list)
    for name, count in counts.items():
        if count >= _TYPO_RATIO:
            by_start[name[:1].casefold()].append(name)
    typos = {}
    for name, count in counts.items():
        if len(name) < _TYPO_LENGTH or any(letter.isdigit() for letter in name):
            continue
        likely = [other for other in by_start[name[:1].casefold()] if counts[other] >= _TYPO_RATIO * count]
        meant = [other for other in likely if _one_slip(name.casefold(), other.casefold())]
        if meant:
            typos[name] = max(meant, key=counts.__getitem__)
    return typos


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter was added, left out, changed or swapped with its neighbour."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    left, right = one[start:], other[start:]
    swapped = left[1:2] + left[:1] + left[2:]
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or (swapped == right and len(left) > 1)

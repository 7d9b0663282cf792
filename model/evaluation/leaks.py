"""What has no place in an answer: markup, role words, names in front of lines, people who are not there."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from model.answer_checks import MARKUP, ROLE
from model.prompt import Turn

OFTEN = 10
NAME_PART = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Leaks:
    """Shares of a set of answers; see the methods of `Names` and `has_markup`."""

    markup: float
    foreign_names: float
    foreign_addressed: float


class Names:
    """The names of a show, told from common words.

    A speaker's name counts part by part ("Bob Vance": Bob, Vance). A part is no name unless `lines` write it with a
    capital ten times as often as without ("Old Man", "Will"): that keeps common words out, and hides the people who
    are called so. Hidden as well are parts of one or two letters, and people who never speak.
    """

    def __init__(self, speakers: Iterable[str], lines: Iterable[str]) -> None:
        self._speakers = sorted(speakers, key=len, reverse=True)
        parts = {part for name in self._speakers for part in NAME_PART.findall(name) if part[0].isupper()}
        written = Counter(word for line in lines for word in NAME_PART.findall(line))
        self._names = {part for part in parts if written[part] >= OFTEN * written[part.lower()]}

    def mentioned(self, text: str) -> set[str]:
        """The names in a text, as they are written."""
        return {word for word in NAME_PART.findall(text) if word in self._names}

    def addressed(self, text: str) -> set[str]:
        """The names that are called out: set off by commas, or alone between punctuation ("Well, Jim, no.")."""
        return {name for name in self.mentioned(text) if _is_called(name, text)}

    def starts_line(self, text: str) -> bool:
        """Whether a line begins with a speaker's name and a colon, as a script does ("Jim: Yes.")."""
        heads = (line.partition(":")[0].strip().lower() for line in text.splitlines() if ":" in line)
        known = {name.lower() for name in self._speakers} | {name.lower() for name in self._names}
        return any(head in known for head in heads)


def has_markup(text: str) -> bool:
    """Whether there are tags, brackets, asterisks, or a line that begins with a role of the prompt.

    The checks on answers look for the same, so this is what they let through.
    """
    return bool(MARKUP.search(text) or ROLE.search(text))


def measure_leaks(answers: Sequence[str], contexts: Sequence[Sequence[Turn]], names: Names, known: str = "") -> Leaks:
    """Shares of answers with markup or a name in front of a line, and with people who are not there.

    `contexts` are the lines before each answer, `known` what may be named always: the card and the character's name.
    Markup shows a prompt format that leaks through; it hides markup of kinds that nobody thought of. A foreign name
    is neither in the context, nor a speaker of it, nor in `known`: in an answer to Tom, "Angela" comes from the
    training script. Mentions are often right (real answers are full of them: see the reference), calling somebody
    who is not there hardly ever is, so that is counted by itself. It hides people whose names are common words.
    """
    foreign = [
        names.mentioned(answer) - _named(context, known) for answer, context in zip(answers, contexts, strict=True)
    ]
    called = [found & names.addressed(answer) for found, answer in zip(foreign, answers, strict=True)]
    return Leaks(
        markup=sum(has_markup(answer) or names.starts_line(answer) for answer in answers) / len(answers),
        foreign_names=sum(map(bool, foreign)) / len(answers),
        foreign_addressed=sum(map(bool, called)) / len(answers),
    )


def _named(context: Sequence[Turn], known: str) -> set[str]:
    return {word for turn in context for word in NAME_PART.findall(f"{turn.speaker} {turn.text}")} | set(
        NAME_PART.findall(known)
    )


def _is_called(name: str, text: str) -> bool:
    before, after = r"(?:^|[,.!?…\"“-]\s*)", r"\s*(?:[,.!?…\"”-]|$)"
    return re.search(f"{before}{re.escape(name)}{after}", text, re.M) is not None

"""What no answer may be, checked sentence by sentence before anybody reads it.

Knows neither prompts nor engines: whoever draws answers decides what to do about one that fails.
"""

import re
from collections.abc import Callable, Iterable

from model.sentences import split_sentences, words

MARKUP = re.compile(r"<[^\s\d]|(?<![\s\d])\*|\*(?![\s\d])|[\[\]]")  # an asterisk between numbers is none
ROLE = re.compile(r"^\s*(?:system|user|assistant|human|bot|ai)\b\s*(?::|$)", re.I | re.M)
# As scripts and chat logs name the speaker. People hardly talk so, but for a few words that are nobody's name.
NOBODY = "Answer|Example|Fact|First|Hint|Next|Note|One|Question|Rule|Second|Three|Tip|Two"
SPEAKER = re.compile(rf"^\s*(?!(?:{NOBODY}):)[^\W\d_a-z][\w.'’-]*(?: [^\W\d_a-z][\w.'’-]*){{0,2}}:(?=\s|$)", re.M)
OPENING_WORDS = 4


class AnswerChecks:
    """The checks on the answers of one character. `is_offensive` says what must not be said, whoever speaks."""

    def __init__(self, name: str, is_offensive: Callable[[str], bool]) -> None:
        self._own_prefix = re.compile(rf"\s*(?:{'|'.join(map(re.escape, _forms(name)))})\s*:\s*", re.I)
        self._is_offensive = is_offensive

    def guard(self, own_answers: Iterable[str]) -> "Guard":
        """A guard for the next answer, which is to repeat none of the character's own earlier ones."""
        return Guard(self, own_answers)

    def passes(self, sentence: str) -> bool:
        """Whether there is no markup in it, no line that begins with a speaker or a role, and nothing offensive."""
        return not any(
            (MARKUP.search(sentence), ROLE.search(sentence), SPEAKER.search(sentence), self._is_offensive(sentence))
        )

    def without_own_name(self, sentence: str) -> str:
        """The sentence without the character's own name in front of it: that one is true, if superfluous."""
        prefix = self._own_prefix.match(sentence)
        return sentence[prefix.end() :] if prefix else sentence


class Guard:
    """Lets the sentences of one answer pass until one of them fails; nothing passes once it is `closed`.

    It holds back the opening: the first sentences, until they have four words together, or the whole answer if it is
    shorter. An opening without any word fails, and so does one that equals the opening of an earlier answer, but for
    case, punctuation and white space. So "Yes." may be said again if something else follows it, and nothing longer.
    `begun` tells whether the opening has passed.
    """

    def __init__(self, checks: AnswerChecks, own_answers: Iterable[str]) -> None:
        self._checks = checks
        self._earlier = {opening(answer) for answer in own_answers}
        self._held = ""
        self.begun = self.closed = False

    def push(self, sentence: str) -> str:
        """What may be said now: "" while the opening is held back, and after the end."""
        if not self.begun and not self._held:
            sentence = self._checks.without_own_name(sentence.lstrip())
        if self.closed or not self._checks.passes(sentence):
            return self.finish()
        self._held += sentence
        return self._release() if self.begun or _is_complete(self._held) else ""

    def finish(self) -> str:
        """What is still held back of an answer that ends here."""
        ready = "" if self.closed else self._release()
        self.closed = True
        return ready

    def _release(self) -> str:
        ready, self._held = self._held, ""
        if not self.begun:
            said = tuple(words(ready))
            self.begun = bool(said) and said not in self._earlier
            self.closed = not self.begun
        return ready if self.begun else ""


def opening(answer: str) -> tuple[str, ...]:
    """The words that an answer opens with, as `Guard` compares them."""
    begun = ""
    for sentence in split_sentences(answer):
        begun += sentence
        if _is_complete(begun):
            break
    return tuple(words(begun))


def _is_complete(opening: str) -> bool:
    return len(words(opening)) >= OPENING_WORDS


def _forms(name: str) -> list[str]:
    """A name in full and its first part, longest first."""
    return sorted({name, name.split()[0]}, key=len, reverse=True)

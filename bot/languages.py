"""Which language a message is in: judged only where that is clear, as a wrong refusal is worse than an odd answer.

The classifier (py3langid: groups of letters, some 140 languages, a file of 5 MB in its package) always has an opinion,
also on what is too short to tell. So greetings, names, titles and single words are never shown to it, and a message is
foreign only if it is 200 times likelier in some other language than in those that are spoken.
"""

import asyncio
import re
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

MOST_LIKELY_SPOKEN = 1 / 200
WORDS = 5  # How many different words a message must have.
WORDS_OF_NO_TITLE = 3  # The same for a question, and without any Latin letters: titles that are quoted have them.
LETTERS_IN_A_WORD = 2  # In scripts that are written without spaces.
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
WITHOUT_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
QUESTION_MARKS = ("?", "？", "؟", "?!")
NO_LANGUAGE = "zxx"
# Two of these are enough to be understood without the classifier. None of them is a common word of another language.
PLAIN = {
    "en": {"the", "you", "your", "what", "who", "how", "why", "when", "where", "are", "and", "that", "this", "with"}
    | {"they", "she", "know", "think", "want", "about", "did", "does"}
}
KIN = {"en": {"pcm"}}  # English as it is spoken in Nigeria, and by children in a hurry.


class LanguageDetector:
    """Tells foreign messages. What it needs to know is read when it is first asked, in a thread: it takes a second."""

    def __init__(self) -> None:
        self._reading = asyncio.Lock()

    async def is_foreign(self, text: str, spoken: Collection[str]) -> bool:
        """Whether a text is clearly in none of the languages `spoken`, by their ISO 639 codes; False where unknown."""
        if not spoken or not says_enough(text) or is_plain(text, spoken):
            return False
        async with self._reading:
            identifier = await asyncio.to_thread(_identifier)
        if not set(spoken) & set(identifier.labels):
            return False
        likely: dict[str, float] = dict(identifier.rank(text))
        understood = {NO_LANGUAGE, *spoken, *(kin for code in spoken for kin in KIN.get(code, ()))}
        return sum(likely.get(code, 0.0) for code in understood) < MOST_LIKELY_SPOKEN


def says_enough(text: str) -> bool:
    """Whether a text is more than a greeting, a name or a title: those are short, or written with capitals."""
    words = WORD.findall(text)
    capitals = sum(word[0].isupper() for word in words)
    if 2 * capitals > len(words) and not text.isupper():
        return False
    different = (
        len({word.lower() for word in words if len(word) > 1}) + len(WITHOUT_SPACES.findall(text)) // LETTERS_IN_A_WORD
    )
    is_no_title = text.rstrip().endswith(QUESTION_MARKS) or not LATIN.search(text)
    return different >= (WORDS_OF_NO_TITLE if is_no_title else WORDS)


def is_plain(text: str, spoken: Collection[str]) -> bool:
    """Whether a text has plain words of one of the languages `spoken`, of those whose words are known here."""
    words = {word.lower() for word in WORD.findall(text)}
    return any(len(words & PLAIN.get(code, set())) >= 2 for code in spoken)


@cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

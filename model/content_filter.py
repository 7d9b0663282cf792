"""Keeps slurs and sexual content out of what a character says; what people write is their own business.

The words are those of pyobscenity, which knows where most of them are innocent ("Moby-Dick", "pussy willow"). It reads
English only. In doubt it blocks: that costs another draw, or the rest of an answer.
"""

from typing import Any

ALLOWED = ("damn", "turd")  # mild, and part of how people speak
INNOCENT = (
    *("dick van", "dick tracy", "k. dick", "dick cheney", "uncle dick", "dickety", "cock crow", "nude painting"),
    *("sex discrimination", "its sex", "the sex of"),
)
# Patterns as the library writes them: "|" is the edge of a word, what stands in brackets may be missing.
FURTHER = (
    *("|erection|", "|erections|", "|gook|", "|gooks|", "|horny|", "|paki|", "|pakis|", "|tranny|", "|trannies|"),
    *("|jerk[ed] off|", "|jerks off|", "|jerking off|", "|nude|", "|nudes|", "|naked pic", "|naked photo"),
    *("|lovemaking|", "|make love|", "|makes love|", "|made love|", "|making love|"),
)


class ContentFilter:
    """Finds what must not be said. Making one compiles some hundreds of patterns, so one serves all chats."""

    def __init__(self) -> None:
        from pyobscenity import Dataset, LowercaseTransformer, RegexMatcher, english_dataset

        dataset = Dataset().add_all(english_dataset)
        dataset.remove_phrases_if(lambda phrase: phrase.metadata["originalWord"] in ALLOWED)
        dataset.add_phrase(_further)
        # The library's other transformers undo disguises ("!" becomes "i"), and so miss words that end in "!".
        lower = [LowercaseTransformer()]
        self._matcher = RegexMatcher(**dataset.build(), blacklist_transformers=lower, whitelist_transformers=lower)

    def blocks(self, text: str) -> bool:
        """Whether there is a slur, a swear word or something sexual in it."""
        return bool(self._matcher.has_match(text))


def _further(phrase: Any) -> Any:
    phrase.set_metadata({"originalWord": "further"})
    for pattern in FURTHER:
        phrase.add_pattern(pattern)
    for term in INNOCENT:
        phrase.add_whitelisted_term(term)
    return phrase

"""Windows of a scene that overlap, joined to passages: each line is read once, and each answer in it is learned.

A character who speaks every other line has windows that share all lines but one, so that training on each by itself
reads every line four times. In a passage an answer also sees more of the scene than its window held, as it will in a
long conversation.
"""

from collections.abc import Callable, Iterable

from model.examples import Dialogue
from model.prompt import Turn


def join_windows(windows: Iterable[Dialogue], fits: Callable[[Dialogue], bool]) -> list[Dialogue]:
    """Join each window to the one before it, where both overlap and `fits` allows the whole; else it stays alone.

    Windows come in the order of the script. No answer is lost: each is the `answer` of one dialogue or among the
    `learned` of one.
    """
    passages: list[Dialogue] = []
    for window in windows:
        longer = _join(passages[-1], window) if passages else None
        if longer is not None and fits(longer):
            passages[-1] = longer
        else:
            passages.append(window)
    return passages


def _join(passage: Dialogue, window: Dialogue) -> Dialogue | None:
    """The passage and what the window adds to it; None if they do not overlap."""
    said = (*passage.context, Turn("", passage.answer, is_character=True))
    lengths = range(min(len(said), len(window.context)), 0, -1)
    shared = next((n for n in lengths if _words(said[-n:]) == _words(window.context[:n])), 0)
    if passage.scene is None or passage.scene != window.scene or not shared:
        return None
    learned = (*passage.learned, len(passage.context))
    return Dialogue((*said, *window.context[shared:]), window.answer, window.scene, learned)


def _words(lines: Iterable[Turn]) -> list[tuple[str, bool]]:
    return [(line.text, line.is_character) for line in lines]

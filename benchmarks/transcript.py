"""What a persona says, unedited, as Markdown: python -m benchmarks.transcript --persona lisa

Asks the single questions and holds the dialogues of `transcript.toml`, as served and with fixed seeds, one chat at a
time. A dialogue remembers as many lines as the bot does.
"""

import argparse
import asyncio
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from model.character import Character, load_character
from model.engine import GenerationSettings
from model.errors import ModelError
from model.evaluation.generation import MEMORY
from model.prompt import Turn
from model.store import DEFAULT_STORE

QUESTIONS = Path(__file__).with_suffix(".toml")


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persona", required=True)
    parser.add_argument("--store", type=Path, default=DEFAULT_STORE)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    asked = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    try:
        character = load_character(options.persona, options.store)
    except ModelError as error:
        sys.exit(f"error: {error}")
    asyncio.run(talk(character, asked["questions"], asked["dialogues"], options.seed))


async def talk(character: Character, questions: Sequence[str], dialogues: Sequence[Sequence[str]], seed: int) -> None:
    """Print all of it; the engine is closed at the end."""
    try:
        print_table("asked", [(question, await answer(character, [], question, seed)) for question in questions])
        for number, lines in enumerate(dialogues, 1):
            print(f"\n### Dialogue {number}\n")
            history: list[Turn] = []
            for line in lines:
                await answer(character, history, line, seed)
            texts = [turn.text for turn in history]
            print_table("said", list(zip(texts[::2], texts[1::2], strict=True)))
    finally:
        await character.close()


async def answer(character: Character, history: list[Turn], line: str, seed: int) -> str:
    """The answer to one more line, which is added to the history with it."""
    history.append(Turn("Visitor", line, False))
    # Every turn has a seed of its own, or each would begin with the same luck.
    settings = GenerationSettings(seed=seed + 100 * len(history))
    text = "".join([part async for part in character.reply(history[-MEMORY:], settings)])
    history.append(Turn(character.name, text, True))
    return text


def print_table(heading: str, rows: Sequence[tuple[str, str]]) -> None:
    """Two columns of Markdown."""
    print(f"| {heading} | answered |\n| --- | --- |")
    for said, answered in rows:
        cells = (" ".join(text.split()).replace("|", "\\|") for text in (said, answered))
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

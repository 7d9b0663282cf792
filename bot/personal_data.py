"""What is held about a person: given out as a document, or deleted for good. Knows neither Telegram nor SQL."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose words are meant, and where they were said.

    With a `chat_id`: what the person said in that chat, and the answers to it. Without one: the whole private chat
    with the person, and what the person said in groups, with the answers.
    """

    person: int
    chat_id: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A line on record. `version` is that of the model that gave an answer, empty for what people said.

    `persona` is the character that was asked, None where nobody wrote that down.
    """

    time: datetime
    chat: int
    topic: int
    mode: str
    speaker: str
    is_character: bool
    version: str
    persona: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen for a chat, or one topic of it; None is the default."""

    chat: int
    topic: int
    persona: str | None
    creativity: str
    length: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is not done with yet, as it came in, and its answer if there is one already."""

    received: datetime
    update: Any
    reply: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a person thinks of an answer, and what should have been said instead."""

    time: datetime
    chat: int
    topic: int
    verdict: str
    correction: str | None
    review: str


@dataclass(frozen=True, slots=True)
class Announced:
    """What a person who runs the bot is writing to all chats, or how it stands with such a message to a person."""

    time: datetime
    text: str | None
    state: str


class Records(Protocol):
    """Everything that is held about people. Raises StorageError if the database is not available."""

    async def said(self, claim: Claim) -> Sequence[Said]:
        """The lines of a claim, oldest first."""
        ...

    async def judged(self, claim: Claim) -> Sequence[Judged]:
        """What the person thinks of answers, given in the chats of the claim to whomever, oldest first."""
        ...

    async def waiting(self, claim: Claim) -> Sequence[Waiting]:
        """The messages of a claim that still wait for their answers, oldest first."""
        ...

    async def chosen(self, claim: Claim) -> Sequence[Chosen]:
        """What the person has chosen for the private chat; a group's choices are nobody's in particular."""
        ...

    async def announced(self, claim: Claim) -> Sequence[Announced]:
        """The messages to all chats that are by the person, or are on their way to the private chat."""
        ...

    async def forget(self, claim: Claim, request: int) -> None:
        """Delete all of a claim and overwrite where it stood; messages that wait for an answer get none.

        The `request` to do so, and what came in after it, stay on record until they are answered. May be repeated.
        """
        ...

    async def sweep(self) -> None:
        """Overwrite what finished requests have left behind."""
        ...


async def document(records: Records, claim: Claim) -> bytes:
    """Everything that is held, as JSON in UTF-8."""
    content = {
        "person": claim.person,
        "made": datetime.now(UTC),
        "messages": [asdict(line) for line in await records.said(claim)],
        "settings": [asdict(choices) for choices in await records.chosen(claim)],
        "feedback": [asdict(opinion) for opinion in await records.judged(claim)],
        "waiting": [asdict(message) for message in await records.waiting(claim)],
        "broadcasts": [asdict(announced) for announced in await records.announced(claim)],
    }
    return json.dumps(content, ensure_ascii=False, indent=2, default=datetime.isoformat).encode("utf-8", "replace")

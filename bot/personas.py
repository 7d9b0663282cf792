"""Who can be chosen: the cards of the characters on offer. Knows neither models nor Telegram."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Card:
    """A character as people meet it: `about` is a line on who it is, `greeting` its first words; both may be empty.

    `languages` are those that it speaks, by their codes; empty: nobody knows. `unreadable` has its words about what it
    cannot read, by kind, where it has words of its own.
    """

    id: str
    name: str
    about: str = ""
    greeting: str = ""
    languages: tuple[str, ...] = ()
    unreadable: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Roster:
    """The characters on offer; the one with the id `default` is played where nobody has chosen."""

    def __init__(self, default: str = "", cards: Sequence[Card] = ()) -> None:
        self.default = default
        self.cards = tuple(cards)
        self._by_id = {card.id: card for card in self.cards}

    def resolve(self, chosen: str | None) -> str:
        """The id of who is played for a choice: one that is not on offer any more counts as none."""
        return chosen if chosen is not None and chosen in self._by_id else self.default

    def card(self, chosen: str | None) -> Card:
        """The card of who is played for a choice."""
        persona = self.resolve(chosen)
        return self._by_id.get(persona) or Card(persona, persona)

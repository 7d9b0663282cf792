"""What was last, for each of many: the newest value of the keys that were used last. Older ones are forgotten."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ROOM = 10_000


class Recent(Generic[K, V]):
    """A memory with room for so many keys, which holds for as long as the process lives."""

    def __init__(self, room: int = ROOM) -> None:
        self._values: OrderedDict[K, V] = OrderedDict()
        self._room = room

    def replace(self, key: K, value: V) -> None:
        """Remember a value instead of the one before."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._room:
            self._values.popitem(last=False)

    def last(self, key: K) -> V | None:
        """The value that was remembered last; None if there is none, or it is forgotten."""
        return self._values.get(key)

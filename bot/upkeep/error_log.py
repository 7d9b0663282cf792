"""When something went wrong, and where: taken from the log, without what it says."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Mishap:
    """The last error that a part of the program has logged."""

    source: str
    time: datetime


class ErrorLog(logging.Handler):
    """Remembers errors by their logger, the last time of each and how many there were."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._last: dict[str, datetime] = {}
        self._counts: Counter[str] = Counter()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take note of what is logged until the block ends."""
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._last[record.name] = datetime.fromtimestamp(record.created, UTC)
        self._counts[record.name] += 1

    @property
    def mishaps(self) -> Sequence[Mishap]:
        """The last error of each source, the newest first."""
        found = [Mishap(source, time) for source, time in self._last.items()]
        return sorted(found, key=lambda mishap: mishap.time, reverse=True)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many errors there were, by source."""
        return dict(self._counts)

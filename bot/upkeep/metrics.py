"""Metrics for Prometheus: counts and times of this process, with nobody's words, names or numbers in them."""

import time
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from bot.chat_service import Cast, Conversation, Role
from bot.personas import Card
from bot.reply_queue import ReplyQueue, Ticket
from bot.upkeep.error_log import ErrorLog
from bot.upkeep.health import Health

SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)


class Metrics:
    """All that is measured, in a registry of its own."""

    def __init__(self, errors: ErrorLog) -> None:
        self.registry = here = CollectorRegistry()
        self._received = Counter("understudy_messages_received", "Messages that want an answer", registry=here)
        self._answered = Counter("understudy_messages_answered", "Messages that got one", registry=here)
        self._waits = Histogram(
            "understudy_answer_seconds", "From a message to its answer", buckets=SECONDS, registry=here
        )
        self._work = Histogram(
            "understudy_generation_seconds", "What the model took for an answer", buckets=SECONDS, registry=here
        )
        self._queue = Gauge("understudy_queue_length", "Answers that wait for their turn", registry=here)
        self._inbox = Gauge("understudy_inbox_messages", "Messages on record, by state", ["state"], registry=here)
        self._database = Gauge("understudy_database_bytes", "The size of the database", registry=here)
        self._disk = Gauge("understudy_disk_free_bytes", "What is free on its disk", registry=here)
        self.registry.register(_Errors(errors))
        ProcessCollector(registry=self.registry)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A message waits for its answer in this block, which ends with an error if there is none."""
        self._received.inc()
        start = time.monotonic()
        yield
        self._answered.inc()
        self._waits.observe(time.monotonic() - start)

    @contextmanager
    def generating(self) -> Iterator[None]:
        """The model works in this block."""
        start = time.monotonic()
        yield
        self._work.observe(time.monotonic() - start)

    def queue(self, limit: int) -> ReplyQueue:
        """A queue whose answers are counted and timed."""
        return MeteredQueue(limit, self)

    def cast(self, cast: Cast) -> Cast:
        """The same cast, whose time on stage is taken."""
        return MeteredCast(cast, self)

    def note(self, health: Health) -> None:
        """Take over what was found."""
        self._queue.set(health.queued)
        self._inbox.labels("received").set(health.mail.waiting)
        self._inbox.labels("answered").set(health.mail.answered)
        self._inbox.labels("failed").set(health.mail.failed)
        self._database.set(health.database_bytes)
        self._disk.set(health.free_bytes)


class MeteredQueue(ReplyQueue):
    """A reply queue whose turns are measured, with the waiting before them."""

    def __init__(self, limit: int, metrics: Metrics) -> None:
        super().__init__(limit)
        self._metrics = metrics

    @asynccontextmanager
    async def turn(self, chat: Hashable, ticket: Ticket | None = None) -> AsyncIterator[None]:
        """See `bot.reply_queue.ReplyQueue`."""
        with self._metrics.answering():
            async with super().turn(chat, ticket):
                yield


class MeteredCast:
    """A cast whose time on stage is measured."""

    def __init__(self, cast: Cast, metrics: Metrics) -> None:
        self._cast = cast
        self._metrics = metrics

    @asynccontextmanager
    async def on_stage(self, conversation: Conversation) -> AsyncIterator[Role]:
        """See `bot.chat_service.Cast`."""
        with self._metrics.generating():
            async with self._cast.on_stage(conversation) as role:
                yield role

    async def character(self, conversation: Conversation) -> Card:
        """See `bot.chat_service.Cast`."""
        return await self._cast.character(conversation)


class _Errors(Collector):
    """The errors that were logged, by the part of the program that logged them."""

    def __init__(self, errors: ErrorLog) -> None:
        self._errors = errors

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What the registry asks for."""
        family = CounterMetricFamily("understudy_errors", "Errors in the log", labels=["source"])
        for source, count in self._errors.counts.items():
            family.add_metric([source], count)
        yield family

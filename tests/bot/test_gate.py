"""The gate: who is let in, how much, and that counts are right whatever happens in between. On a real SQLite file."""

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.gate import Gate, Limits, Notices, Refusal, Rules, Visitor
from bot.storage.database import Database
from bot.storage.guest_book import SqlGuestBook

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
ADMIN, NED, MOE, GROUP, OTHER_GROUP = 1, 2, 3, -100500, -100600
SECOND = timedelta(seconds=1)


class Clock:
    """Shows the time that a test sets."""

    def __init__(self, time: datetime = NOON) -> None:
        self.time = time

    def __call__(self) -> datetime:
        return self.time


def private(person: int) -> Visitor:
    return Visitor(person, person)


def gate(database: Database, clock: Clock, **rules: Any) -> Gate:
    return Gate(Rules(admins={ADMIN}, **rules), SqlGuestBook(database.session), clock)


def admissions(file: Path) -> list[int]:
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT update_id FROM admissions ORDER BY update_id").fetchall()
    connection.close()
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("guests", "groups", "visitor", "welcome"),
    [
        ([], [], private(NED), True),
        ([], [], Visitor(NED, GROUP), True),
        ([NED], [], private(NED), True),
        ([NED], [], private(MOE), False),
        ([NED], [], Visitor(NED, GROUP), True),
        ([NED], [], Visitor(MOE, GROUP), False),
        ([], [GROUP], private(NED), False),
        ([], [GROUP], Visitor(NED, GROUP), True),
        ([], [GROUP], Visitor(NED, OTHER_GROUP), False),
        ([NED], [GROUP], Visitor(MOE, GROUP), True),
        ([NED], [GROUP], private(ADMIN), True),
        ([NED], [GROUP], Visitor(ADMIN, OTHER_GROUP), True),
    ],
)
def test_guests_are_let_in_everywhere_and_everybody_in_a_guest_group(
    guests: Sequence[int], groups: Sequence[int], visitor: Visitor, welcome: bool
) -> None:
    assert Rules(admins={ADMIN}, guests=guests, groups=groups).welcome(visitor) is welcome


async def test_within_any_sixty_seconds_no_more_are_let_in_than_was_set(database: Database) -> None:
    clock = Clock()
    door = gate(database, clock, person=Limits(minute=2))
    assert await door.count(private(NED), 1) is None
    clock.time = NOON + 40 * SECOND
    assert await door.count(private(NED), 2) is None
    assert await door.count(private(NED), 3) == Refusal(NOON + 60 * SECOND, of_group=False)
    clock.time = NOON + 60 * SECOND - timedelta(microseconds=1)
    assert await door.count(private(NED), 4) is not None
    clock.time = NOON + 60 * SECOND
    assert await door.count(private(NED), 5) is None
    assert await door.count(private(NED), 6) == Refusal(NOON + 100 * SECOND, of_group=False)


async def test_a_day_is_the_calendars_in_utc(database: Database) -> None:
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    clock = Clock(midnight - SECOND)
    door = gate(database, clock, person=Limits(day=1))
    assert await door.count(private(NED), 1) is None
    assert await door.count(private(NED), 2) == Refusal(midnight, of_group=False)
    clock.time = midnight
    assert await door.count(private(NED), 3) is None
    assert await door.count(private(NED), 4) == Refusal(midnight + timedelta(days=1), of_group=False)


async def test_of_two_quotas_that_are_used_up_the_longer_wait_is_told(database: Database) -> None:
    door = gate(database, Clock(), person=Limits(minute=1, day=1), group=Limits(minute=1))
    assert await door.count(Visitor(NED, GROUP), 1) is None
    assert await door.count(Visitor(NED, GROUP), 2) == Refusal(NOON.replace(hour=0) + timedelta(days=1), of_group=False)


async def test_a_person_has_one_quota_for_all_chats_and_a_group_one_for_all_people(database: Database) -> None:
    door = gate(database, Clock(), person=Limits(minute=2), group=Limits(minute=3))
    assert await door.count(private(NED), 1) is None
    assert await door.count(Visitor(NED, GROUP), 2) is None
    assert await door.count(Visitor(NED, OTHER_GROUP), 3) == Refusal(NOON + 60 * SECOND, of_group=False)
    assert await door.count(Visitor(MOE, GROUP), 4) is None
    assert await door.count(Visitor(MOE, GROUP), 5) is None
    assert await door.count(Visitor(4, GROUP), 6) == Refusal(NOON + 60 * SECOND, of_group=True)
    assert await door.count(private(4), 7) is None


async def test_what_is_refused_does_not_count(database: Database, database_file: Path) -> None:
    door = gate(database, Clock(), person=Limits(minute=1))
    for number in range(5):
        await door.count(private(NED), number)
    assert admissions(database_file) == [0]


async def test_a_message_that_is_handled_again_is_let_in_again_and_counts_once(
    database: Database, database_file: Path
) -> None:
    door = gate(database, Clock(), person=Limits(minute=2))
    for _ in range(5):
        assert await door.count(private(NED), 7) is None
    assert await door.count(private(NED), 8) is None
    assert await door.count(private(NED), 9) is not None
    assert await door.count(private(NED), 7) is None
    assert admissions(database_file) == [7, 8]


async def test_counts_survive_a_restart(database: Database, database_file: Path) -> None:
    clock = Clock()
    await gate(database, clock, person=Limits(day=1)).count(private(NED), 1)
    await database.close()
    again = Database(f"sqlite+aiosqlite:///{database_file}")
    await again.open()
    assert await gate(again, clock, person=Limits(day=1)).count(private(NED), 2) is not None
    await again.close()


async def test_of_many_messages_at_once_to_two_processes_no_more_are_let_in_than_was_set(
    database: Database, database_file: Path
) -> None:
    second = Database(f"sqlite+aiosqlite:///{database_file}")
    doors = [gate(each, Clock(), person=Limits(minute=5)) for each in (database, second)]
    calls = [doors[number % 2].count(Visitor(NED, -number - 1), number) for number in range(20)]
    refusals = await asyncio.gather(*calls)
    await second.close()
    assert refusals.count(None) == 5
    assert len(admissions(database_file)) == 5


async def test_without_a_quota_and_for_admins_nothing_is_put_on_record(database: Database, database_file: Path) -> None:
    assert await gate(database, Clock(), group=Limits(minute=1)).count(private(NED), 1) is None
    limited = gate(database, Clock(), person=Limits(minute=1), group=Limits(minute=1))
    for number in range(3):
        assert await limited.count(Visitor(ADMIN, GROUP), number) is None
    assert admissions(database_file) == []


async def test_what_counts_no_more_is_deleted(database: Database, database_file: Path) -> None:
    clock = Clock()
    door = gate(database, clock, person=Limits(minute=5))
    await door.count(private(NED), 1)
    clock.time = NOON + timedelta(days=2, seconds=1)
    await door.count(private(MOE), 2)
    assert admissions(database_file) == [2]


async def test_a_ban_holds_until_it_is_taken_back(database: Database) -> None:
    door = gate(database, Clock())
    assert await door.ban(NED, ADMIN)
    assert await door.ban(NED, ADMIN)
    assert await door.is_banned(Visitor(NED, GROUP))
    assert not await door.is_banned(Visitor(MOE, GROUP))
    assert await door.unban(NED)
    assert not await door.unban(NED)
    assert not await door.is_banned(private(NED))


async def test_a_group_can_be_banned_and_an_admin_cannot(database: Database) -> None:
    door = gate(database, Clock())
    assert not await door.ban(ADMIN, ADMIN)
    assert await door.ban(GROUP, ADMIN)
    assert await door.is_banned(Visitor(NED, GROUP))
    assert not await door.is_banned(private(NED))
    assert not await door.is_banned(Visitor(ADMIN, GROUP))


async def test_no_query_of_the_guest_book_is_without_an_index(database: Database, database_file: Path) -> None:
    asked: list[tuple[str, Any]] = []
    engine = database.session.kw["bind"].sync_engine
    event.listen(engine, "before_cursor_execute", lambda _c, _k, query, values, _x, _m: asked.append((query, values)))
    door = gate(database, Clock(), person=Limits(5, 50), group=Limits(5, 50))
    await door.count(Visitor(NED, GROUP), 1)
    await door.ban(NED, ADMIN)
    await door.is_banned(Visitor(NED, GROUP))
    await door.unban(NED)
    with sqlite3.connect(database_file) as connection:
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall() for query, values in asked]
    connection.close()
    steps = [row[-1] for plan in plans for row in plan]
    assert sum("ix_admissions" in step for step in steps) == 5  # Four quotas, and what is deleted.
    assert not [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step]


def test_a_notice_is_due_once_until_its_time_is_over() -> None:
    clock = Clock()
    notices = Notices(clock)
    until = NOON + 30 * SECOND
    assert notices.is_due(GROUP, NED)
    notices.told(GROUP, NED, until)
    assert not notices.is_due(GROUP, NED)
    assert notices.is_due(GROUP, MOE)
    assert notices.is_due(OTHER_GROUP, NED)
    clock.time = until
    assert notices.is_due(GROUP, NED)


def test_the_wait_that_is_told_is_never_too_short() -> None:
    notices = Notices(Clock())
    assert notices.seconds_to(NOON + 29.2 * SECOND) == 30
    assert notices.seconds_to(NOON) == 1

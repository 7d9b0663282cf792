"""Trainings on record, in a real database."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.storage.database import Database
from bot.storage.training_book import SqlTrainingBook
from bot.training.events import Verdict
from bot.training.records import Order, Phase

ORDER = Order("lisa", admin=99, message=5, language="en")
VERDICT = Verdict(version="v2", live=True, compared_with="v1", measures=(), reasons=("better",), picture=Path("a.png"))


@pytest.fixture
def book(database: Database) -> SqlTrainingBook:
    return SqlTrainingBook(database.session)


async def test_what_is_saved_comes_back_whole(book: SqlTrainingBook) -> None:
    training, is_new = await book.open(ORDER)
    assert is_new
    changed = replace(training, pid=7, run="run-1", crashes=1, seconds=2.5, verdict=VERDICT, note="why")
    await book.save(changed)
    assert await book.under_way() == changed


async def test_one_that_is_under_way_stands_in_the_way_of_every_other(book: SqlTrainingBook) -> None:
    first, _ = await book.open(ORDER)
    assert await book.open(replace(ORDER, persona="bart", message=6)) == (first, False)
    await book.save(replace(first, phase=Phase.DONE))
    assert await book.under_way() is None
    second, is_new = await book.open(replace(ORDER, message=6))
    assert is_new
    assert second.number != first.number


async def test_a_message_begins_one_training_however_often_it_is_pressed(book: SqlTrainingBook) -> None:
    first, _ = await book.open(ORDER)
    done = replace(first, phase=Phase.DONE)
    await book.save(done)
    assert await book.open(ORDER) == (done, False)


async def test_an_end_is_untold_until_it_is_told(book: SqlTrainingBook) -> None:
    training, _ = await book.open(ORDER)
    assert await book.untold() == []
    failed = replace(training, phase=Phase.FAILED, note="disk full")
    await book.save(failed)
    assert await book.untold() == [failed]
    await book.told(failed.number)
    assert await book.untold() == []


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.CANCELLED, Phase.INTERRUPTED])
async def test_what_ended_without_a_verdict_goes_on_where_it_was_and_is_untold_again(
    book: SqlTrainingBook, phase: Phase
) -> None:
    training, _ = await book.open(ORDER)
    await book.save(replace(training, phase=phase, run="run-1", crashes=3, seconds=9.0))
    await book.told(training.number)
    again = await book.reopen(training.number, 8)
    expected = replace(training, run="run-1", seconds=9.0, order=replace(ORDER, message=8))
    assert again == await book.under_way() == expected
    await book.save(replace(expected, phase=Phase.INTERRUPTED))
    assert len(await book.untold()) == 1


async def test_only_the_last_one_goes_on_and_only_if_nothing_is_under_way(book: SqlTrainingBook) -> None:
    first, _ = await book.open(ORDER)
    assert await book.reopen(first.number, 5) is None
    await book.save(replace(first, phase=Phase.CANCELLED))
    second, _ = await book.open(replace(ORDER, message=6))
    assert await book.reopen(first.number, 5) is None
    await book.save(replace(second, phase=Phase.CANCELLED))
    assert await book.reopen(first.number, 5) is None
    assert await book.reopen(second.number, 6) is not None
    assert await book.reopen(404, 1) is None


async def test_how_long_it_takes_is_what_the_last_one_took_that_came_to_its_end(book: SqlTrainingBook) -> None:
    assert await book.usual_seconds("lisa") is None
    for message, (phase, seconds) in enumerate([(Phase.DONE, 100.0), (Phase.DONE, 200.0), (Phase.CANCELLED, 5.0)]):
        training, _ = await book.open(replace(ORDER, message=message))
        await book.save(replace(training, phase=phase, seconds=seconds))
    assert await book.usual_seconds("lisa") == 200.0
    assert await book.usual_seconds("bart") is None

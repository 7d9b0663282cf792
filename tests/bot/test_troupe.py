"""The troupe: loaded once, bounded, closed in good order."""

import asyncio
import threading

import pytest

from bot.errors import CastingError
from bot.troupe import Troupe
from tests.bot.actors import ScriptedActor
from tests.bot.waiting import until


class Agency:
    """Loads scripted actors in the order of asking; while `gate` is closed, loading takes time."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.actors: dict[str, ScriptedActor] = {}
        self.threads: set[threading.Thread] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.broken: set[str] = set()

    def load(self, persona: str) -> ScriptedActor:
        self.loaded.append(persona)
        self.threads.add(threading.current_thread())
        assert self.gate.wait(30)
        if persona in self.broken:
            raise RuntimeError("out of\nmemory")
        self.actors[persona] = ScriptedActor()
        return self.actors[persona]


@pytest.fixture
def agency() -> Agency:
    return Agency()


async def play(troupe: Troupe, *personas: str) -> None:
    for persona in personas:
        async with troupe.on_stage(persona):
            pass


async def test_an_actor_is_loaded_once_for_all_and_off_the_event_loop(agency: Agency) -> None:
    troupe = Troupe(agency.load, room=2)
    await asyncio.gather(*(play(troupe, "bart") for _ in range(5)))
    assert agency.loaded == ["bart"]
    assert threading.current_thread() not in agency.threads
    await troupe.close()


async def test_who_is_there_already_is_not_loaded_and_leaves_with_the_others(agency: Agency) -> None:
    lisa, unasked = ScriptedActor(), ScriptedActor()
    troupe = Troupe(agency.load, room=2)
    troupe.welcome("lisa", lisa)
    troupe.welcome("maggie", unasked)
    await play(troupe, "lisa", "bart")
    assert agency.loaded == ["bart"]
    assert not lisa.closed
    await troupe.close()
    assert lisa.closed
    assert unasked.closed
    assert agency.actors["bart"].closed


async def test_who_was_not_needed_for_the_longest_time_goes_for_a_newcomer(agency: Agency) -> None:
    troupe = Troupe(agency.load, room=2)
    await play(troupe, "lisa", "bart", "lisa", "homer")
    assert {name for name, actor in agency.actors.items() if actor.closed} == {"bart"}
    await play(troupe, "bart")
    assert agency.loaded == ["lisa", "bart", "homer", "bart"]
    await troupe.close()


async def test_nobody_goes_while_an_answer_is_made(agency: Agency) -> None:
    troupe = Troupe(agency.load, room=1)
    async with troupe.on_stage("lisa"):
        waiting = asyncio.create_task(play(troupe, "bart"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert agency.loaded == ["lisa"]
        assert not agency.actors["lisa"].closed
    await waiting
    assert agency.loaded == ["lisa", "bart"]
    assert agency.actors["lisa"].closed
    await troupe.close()


async def test_whoever_waits_for_room_is_not_overtaken_for_ever(agency: Agency) -> None:
    troupe = Troupe(agency.load, room=1)
    async with troupe.on_stage("lisa"):
        bart = asyncio.create_task(play(troupe, "bart"))
        again = asyncio.create_task(play(troupe, "lisa"))
    await asyncio.gather(bart, again)
    assert agency.loaded == ["lisa", "bart", "lisa"]
    await troupe.close()


async def test_others_go_on_while_somebody_is_loaded(agency: Agency) -> None:
    troupe = Troupe(agency.load, room=2)
    await play(troupe, "lisa")
    agency.gate.clear()
    loading = asyncio.create_task(play(troupe, "bart"))
    await until(lambda: "bart" in agency.loaded)
    await play(troupe, "lisa")
    agency.gate.set()
    await loading
    await troupe.close()


async def test_who_gives_up_waiting_does_not_spoil_it_for_the_others(agency: Agency) -> None:
    troupe = Troupe(agency.load, room=2)
    agency.gate.clear()
    impatient, patient = (asyncio.create_task(play(troupe, "bart")) for _ in range(2))
    await until(lambda: "bart" in agency.loaded)
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    agency.gate.set()
    await patient
    assert agency.loaded == ["bart"]
    await troupe.close()


async def test_who_cannot_be_loaded_is_named_in_one_line_and_may_be_tried_again(agency: Agency) -> None:
    troupe = Troupe(agency.load, room=1)
    agency.broken.add("bart")
    with pytest.raises(CastingError, match=r"^persona 'bart' cannot be played: RuntimeError: out of memory$"):
        await play(troupe, "bart")
    agency.broken.clear()
    await play(troupe, "bart")
    assert agency.loaded == ["bart", "bart"]
    await troupe.close()


async def test_closing_waits_for_who_is_still_being_loaded(agency: Agency) -> None:
    troupe = Troupe(agency.load, room=1)
    agency.gate.clear()
    impatient = asyncio.create_task(play(troupe, "bart"))
    await until(lambda: "bart" in agency.loaded)
    impatient.cancel()
    closing = asyncio.create_task(troupe.close())
    await asyncio.sleep(0)
    agency.gate.set()
    await closing
    assert agency.actors["bart"].closed


async def test_who_is_renewed_takes_over_while_the_old_one_ends_its_answer(agency: Agency) -> None:
    lisa = ScriptedActor()
    troupe = Troupe(agency.load, room=1)
    troupe.welcome("lisa", lisa)
    async with troupe.on_stage("lisa") as old:
        await troupe.renew("lisa")
        async with troupe.on_stage("lisa") as new:
            assert (old, new) == (lisa, agency.actors["lisa"])
        assert not lisa.closed
    await until(lambda: lisa.closed)
    assert not agency.actors["lisa"].closed
    await troupe.close()
    assert agency.actors["lisa"].closed


async def test_nobody_waits_for_who_is_renewed(agency: Agency) -> None:
    lisa = ScriptedActor()
    troupe = Troupe(agency.load, room=1)
    troupe.welcome("lisa", lisa)
    agency.gate.clear()
    renewing = asyncio.create_task(troupe.renew("lisa"))
    await until(lambda: agency.loaded == ["lisa"])
    async with troupe.on_stage("lisa") as present:
        assert present is lisa
    agency.gate.set()
    await renewing
    await until(lambda: lisa.closed)
    await troupe.close()


async def test_who_cannot_be_renewed_stays(agency: Agency) -> None:
    lisa = ScriptedActor()
    troupe = Troupe(agency.load, room=1)
    troupe.welcome("lisa", lisa)
    agency.broken.add("lisa")
    with pytest.raises(CastingError, match="out of memory"):
        await troupe.renew("lisa")
    async with troupe.on_stage("lisa") as present:
        assert present is lisa
    assert not lisa.closed
    await troupe.close()


async def test_who_is_not_here_need_not_be_renewed(agency: Agency) -> None:
    troupe = Troupe(agency.load, room=1)
    await troupe.renew("lisa")
    assert agency.loaded == []
    await troupe.close()


async def test_who_was_dismissed_while_being_renewed_is_not_kept_beside_the_others(agency: Agency) -> None:
    lisa = ScriptedActor()
    troupe = Troupe(agency.load, room=1)
    troupe.welcome("lisa", lisa)
    agency.gate.clear()
    renewing = asyncio.create_task(troupe.renew("lisa"))
    playing = asyncio.create_task(play(troupe, "bart"))
    await until(lambda: agency.loaded == ["lisa", "bart"])
    agency.gate.set()
    await asyncio.gather(renewing, playing)
    await until(lambda: agency.actors["lisa"].closed)
    assert lisa.closed
    assert not agency.actors["bart"].closed
    await troupe.close()


async def test_closing_waits_for_who_is_being_renewed_though_nobody_wants_it_any_more(agency: Agency) -> None:
    lisa = ScriptedActor()
    troupe = Troupe(agency.load, room=1)
    troupe.welcome("lisa", lisa)
    agency.gate.clear()
    renewing = asyncio.create_task(troupe.renew("lisa"))
    await until(lambda: agency.loaded == ["lisa"])
    renewing.cancel()
    closing = asyncio.create_task(troupe.close())
    await asyncio.sleep(0)
    agency.gate.set()
    await closing
    assert lisa.closed
    assert agency.actors["lisa"].closed

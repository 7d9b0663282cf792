"""The command line in real processes: mistakes get one line, and the terminal chat prints only answers."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.stage import REPOSITORY, Stage

CHAT = """
import sys
from bot.console import chat
from bot.settings import load_settings
from tests.bot.actors import ScriptedActor

chat(load_settings(), actor=ScriptedActor(*sys.argv[1:]))
"""


async def run(*arguments: str, stdin: str = "", cwd: Path, **environment: str) -> tuple[int | None, str, str]:
    """Run Python; returns the exit status and both streams."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin.encode())
    return process.returncode, out.decode(), err.decode()


async def test_a_database_that_cannot_be_reached_is_named(stage: Stage) -> None:
    async with stage.process(DATABASE_URL="sqlite+aiosqlite:////proc/nowhere/bot.db") as bot:
        assert await bot.ended() != 0
    assert "DATABASE_URL: cannot use" in bot.log


async def test_a_token_that_telegram_does_not_accept_is_named_and_not_shown(stage: Stage) -> None:
    async with stage.process(TELEGRAM_BOT_TOKEN="2:wrong_secret") as bot:
        assert await bot.ended() != 0
    assert "TELEGRAM_BOT_TOKEN: Telegram does not accept this token" in bot.log
    assert "wrong_secret" not in bot.log + bot.output


async def test_a_missing_token_is_named_in_one_line_on_standard_error(tmp_path: Path) -> None:
    status, out, err = await run("-m", "bot", "run", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err.startswith("error: TELEGRAM_BOT_TOKEN is not set")
    assert err.count("\n") == 1


async def test_a_word_that_is_no_command_is_refused_with_the_usage(tmp_path: Path) -> None:
    status, _out, err = await run("-m", "bot", "dance", cwd=tmp_path)
    assert status == 2
    assert "usage: python -m bot" in err


async def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    script = "import sys, bot.__main__ as m\ntry: m.main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    status, out, _err = await run("-c", script, cwd=tmp_path)
    assert status == 0
    assert "TELEGRAM_BOT_TOKEN" in out
    assert not {"telegram", "sqlalchemy", "alembic", "aiohttp", "numpy", "openvino"} & set(out.split())


async def test_piped_lines_give_one_line_per_answer_and_nothing_else(tmp_path: Path) -> None:
    lines = "Hi Lisa!\n\n/help\n/ask Who is your brother?\n/ask\n/reset\nBye\n"
    status, out, err = await run("-c", CHAT, "Hello\n  there.", "Bart.", "Bye!", stdin=lines, cwd=tmp_path)
    assert status == 0
    assert out == "Hello there.\nBart.\nBye!\n"
    assert "/ask QUESTION" in err


async def test_the_chat_explains_its_last_answer_as_far_as_that_is_known(tmp_path: Path) -> None:
    lines = "/why\n/ask Who is your brother?\n/why\n"
    status, out, err = await run("-c", CHAT, "Bart.", stdin=lines, cwd=tmp_path)
    assert (status, out) == (0, "Bart.\n")
    assert err.index("I have not answered anything here yet.") < err.index("I do not know what I learned that from")


async def test_the_chat_ends_at_quit(tmp_path: Path) -> None:
    status, out, _err = await run("-c", CHAT, stdin="one\n/quit\ntwo\n", cwd=tmp_path)
    assert (status, out) == (0, "You said: one\n")


async def test_a_line_without_an_answer_still_has_its_line(tmp_path: Path) -> None:
    status, out, _err = await run("-c", CHAT, "", "Fine.", stdin="one\ntwo\n", cwd=tmp_path)
    assert status == 0
    assert out.splitlines() == ["I am at a loss for words. Could you put it another way?", "Fine."]


async def test_on_a_terminal_the_chat_shows_who_speaks_and_ends_politely(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", CHAT),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
    )
    os.write(ours, b"Hello\n/reset\n\x04")
    out, _ = await process.communicate()
    os.close(ours)
    os.close(theirs)
    shown = out.decode()
    assert process.returncode == 0
    assert shown.startswith("Hi, I'm Lisa!")
    assert "Lisa Simpson: You said: Hello\n" in shown
    assert "I have forgotten" in shown
    assert shown.endswith("Goodbye!\n")


REHEARSE = """
import asyncio
from bot.rehearsal import rehearse
from bot.settings import load_settings
from tests.bot.actors import ScriptedActor

asyncio.run(rehearse(load_settings(), actor=ScriptedActor()))
"""


async def test_offline_serves_a_page_on_which_the_character_answers(stage: Stage) -> None:
    async with stage.process("-c", REHEARSE, OFFLINE_PORT="0") as bot:
        await stage.eventually(lambda: "\n" in bot.output)
        line = bot.output.strip()
        assert line.startswith("Open http://127.0.0.1:")
        assert line.endswith(" and say hello to Lisa Simpson.")
        elsewhere = stage.at(line.split()[1])
        await elsewhere.say("Hello")
        assert await elsewhere.answers(1) == ["You said: Hello"]
        assert await bot.stop() == 0
    assert list((stage.folder / "var").iterdir()) == []


DOWNLOADING = """
import sys, time
import bot.stars
from bot.__main__ import main

def load_slowly(_settings):
    print("downloading", flush=True)
    time.sleep(600)

bot.stars.load_actor = load_slowly
sys.exit(main([sys.argv[1]]))
"""


@pytest.mark.parametrize("command", ["offline", "run"])
async def test_a_download_at_the_start_can_be_interrupted(stage: Stage, command: str) -> None:
    async with stage.process("-c", DOWNLOADING, command) as bot:
        await stage.eventually(lambda: "downloading" in bot.output)
        assert await bot.stop(signal.SIGINT) == 130
    assert bot.log == "Interrupted.\n"


async def test_offline_takes_another_port_when_its_own_is_taken(stage: Stage) -> None:
    port = stage.server.url.rpartition(":")[2]
    async with stage.process("-c", REHEARSE, OFFLINE_PORT=port) as bot:
        await stage.eventually(lambda: bot.output.count("\n") == 2)
        assert bot.output.startswith(f"Port {port} is taken (OFFLINE_PORT)")
        assert stage.server.url not in bot.output.splitlines()[1]
        assert await bot.stop() == 0

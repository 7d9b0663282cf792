"""What leaves the machine, and what gets into the log: nothing but calls of Telegram's, neither texts nor tokens."""

from pathlib import Path

from tests.e2e.stage import TOKEN, Stage
from tests.hostile import HOSTILE

HERE = Path(__file__).parent


async def test_serving_opens_no_connection_but_to_telegram(stage: Stage) -> None:
    async with stage.process(**stage.witnessed()) as bot:
        await stage.say("Hello")
        await stage.say("/ask Who?")
        await stage.answers(2)
        assert await bot.stop() == 0
    assert stage.seen_addresses() == {("127.0.0.1", stage.server.url.rpartition(":")[2])}


async def test_the_witness_sees_a_connection_to_anywhere_else(stage: Stage) -> None:
    script = stage.folder / "telltale.py"
    script.write_text(
        "import socket, urllib.request\n"
        "try: urllib.request.urlopen('http://127.0.0.2:9/')\n"
        "except OSError: pass\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hello', ('127.0.0.3', 9))\n"
    )
    parent = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]))"
    async with stage.process("-c", parent, str(script), **stage.witnessed()) as program:
        assert await program.ended() == 0
    assert "socket.connect 127.0.0.2 9" in stage.seen_events()
    assert "socket.sendto 127.0.0.3 9" in stage.seen_events()


async def test_no_log_line_holds_the_token_or_what_people_say_not_even_at_debug_level(stage: Stage) -> None:
    async with stage.process(LOG_LEVEL="DEBUG") as bot:
        for kind in ("500", "drop"):
            await stage.fault(kind, count=1)
            await stage.fault(kind, method="getUpdates", count=1)
            await stage.say("my private words")
        await stage.say("fail")
        answers = await stage.answers(3)
        assert await bot.stop() == 0
    assert answers[:2] == ["You said: my private words"] * 2
    assert "Traceback" in bot.log
    assert "no answer from" in bot.log
    assert "[token]" in bot.log
    assert "private words" not in bot.log
    for form in (TOKEN, TOKEN.replace(":", "%3A"), TOKEN.replace(":", "%3a")):
        assert form not in bot.log + bot.output


async def test_no_message_makes_it_open_a_file_or_start_a_program(stage: Stage) -> None:
    record = stage.folder / "record"
    async with stage.process(str(HERE / "hands.py"), str(record), str(HERE / "bot_process.py")) as bot:
        await stage.say("Hello")
        await stage.say("/settings")
        await stage.answers(2)  # By now it has read the code that it needs.
        before = len(record.read_text().splitlines())
        words = [text.strip() for text in HOSTILE if text.strip(" \x00\ud800")]
        for text in words:
            await stage.say(text[:4000])
            await stage.say(f"/ask {text[:4000]}")
            await stage.say(f"/export {text[:4000]}")
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'done'", [(2 + 3 * len(words),)])
        assert await bot.stop() == 0
    lines = record.read_text().splitlines()
    assert before > 0
    assert [line for line in lines if not line.startswith("open ")] == []
    opened = [line for line in lines[before:] if ".py" not in line]
    assert [line for line in opened if "passwd" in line or "pwned" in line or "'w" in line] == []
    assert not list(stage.folder.rglob("pwned"))

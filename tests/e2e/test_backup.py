"""Backup and restore beside a real bot."""

from contextlib import closing
from sqlite3 import connect

from tests.e2e.stage import Stage

QUESTIONS = "SELECT text FROM messages WHERE NOT is_character ORDER BY id"


async def command(stage: Stage, *arguments: str) -> tuple[int, str, str]:
    """Run one of the bot's commands; returns the exit status and both streams."""
    async with stage.process("-m", "bot", *arguments) as program:
        return await program.ended(), program.output, program.log


async def test_a_backup_made_while_the_bot_talks_brings_the_conversation_back(stage: Stage) -> None:
    copy = stage.folder / "copy.db"
    async with stage.process() as bot:
        await stage.say("one")
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
        status, out, _err = await command(stage, "backup", str(copy))
        assert (status, out.count("\n")) == (0, 1)
        await stage.say("two")
        assert (await stage.answers(2))[1] == "You said: two"
        status, out, err = await command(stage, "restore", str(copy))
        assert (status, out, err) == (1, "", f"error: a bot uses {stage.database}: stop it, then restore\n")
        assert await bot.stop() == 0
    assert (await command(stage, "restore", str(copy)))[0] == 0
    assert stage.rows(QUESTIONS) == [("one",)]
    with closing(connect(f"{stage.database}.old-1")) as old:
        assert old.execute(QUESTIONS).fetchall() == [("one",), ("two",)]
    async with stage.process():
        await stage.say("three")
        assert (await stage.answers(3))[2] == "You said: three"
    assert stage.rows("PRAGMA integrity_check") == [("ok",)]

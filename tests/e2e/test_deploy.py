"""What a container runs, run as it would be: from the files that it has, with a real engine, until it is stopped."""

import asyncio
import sys
from pathlib import Path

from tests.deploy.dockerfile import build_into, command, health_command
from tests.e2e.stage import Stage


async def test_the_files_of_the_container_are_enough_to_answer_be_well_and_stop(stage: Stage, store: Path) -> None:
    image = stage.folder / "app"
    build_into(image)
    settings = {"PYTHONPATH": str(image), "PERSONA": "tiny", "MODEL_STORE": str(store)}
    async with stage.process(*command()[1:], **settings) as bot:
        await stage.say("Hello")
        assert all(await stage.answers(1))
        assert await health(stage, **settings) == (0, "no message waits for long\n")
        assert await bot.stop() == 0
    assert "Traceback" not in bot.log


async def health(stage: Stage, **environment: str) -> tuple[int | None, str]:
    """Exit status and output of the container's health check."""
    check = await asyncio.create_subprocess_exec(
        sys.executable,
        *health_command()[1:],
        cwd=stage.folder,
        env=stage.environment(**environment),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await check.communicate()
    return check.returncode, output.decode()

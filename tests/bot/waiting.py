"""Waiting for conditions instead of for seconds."""

import asyncio
from collections.abc import Callable

PATIENCE = 30.0  # Seconds after which a test gives up; a loaded machine may take long.


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)

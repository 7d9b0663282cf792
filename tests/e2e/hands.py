"""Runs a script and writes down what it does beyond talking: hands.py RECORD SCRIPT

The record has a line for each file that Python opens and for each program that it starts. SQLite opens its files by
itself, and they are not seen.
"""

import os
import runpy
import sys
from typing import Any

PROGRAMS = (
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "subprocess.Popen",
    "pty.spawn",
)


def watch(record: str) -> None:
    """Write every such event of this process to a file, from now on."""
    # Opened once: opening it would be an event of its own.
    file = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" or event in PROGRAMS:
            os.write(file, f"{event} {arguments!r}\n".encode("utf-8", "backslashreplace"))

    sys.addaudithook(note)


if __name__ == "__main__":
    _, record_file, script = sys.argv
    watch(record_file)
    sys.argv = [script]
    runpy.run_path(script, run_name="__main__")

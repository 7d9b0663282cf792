"""The process that a competitor runs in: python -m benchmarks.speed.child KEY FOLDER

One library for each process: memory, start and threads are its own. It reads requests from standard input, a JSON
object a line, and writes as many replies; it ends with its input. What the libraries print goes to standard error.
"""

import json
import os
import signal
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from benchmarks.speed.competitors import ENTRIES, Competitor
from benchmarks.speed.footprint import peak_memory
from model.private_output import private_output


def main() -> None:
    """Load, then answer until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of the terminal's processes; the parent ends us.
    replies = private_output()
    key, folder = sys.argv[1:]
    try:
        competitor = ENTRIES[key].load(Path(folder))
        for line in sys.stdin:
            _write(replies, _reply(competitor, json.loads(line)))
    except Exception as error:
        traceback.print_exc()
        _write(replies, {"error": f"{type(error).__name__}: {error}"})
    replies.flush()
    os._exit(0)  # Libraries that end their threads at leisure would keep the cores busy.


def _reply(competitor: Competitor, request: dict[str, Any]) -> dict[str, Any]:
    answers = competitor.answer(request["prompts"], request["new_tokens"])
    return {"answers": [asdict(answer) for answer in answers], "peak_memory": peak_memory()}


def _write(replies: TextIO, reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()

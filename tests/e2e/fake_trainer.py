"""Stands in for `python -m model retrain`: a real process that keeps to its protocol, and learns nothing.

What it shall do is in the file `plan.json` of the store: `steps` of training; at step `hold_at` it waits for as long as
there is a file `hold`, at `fail_at` it fails with one line, at `die_at` it is gone without a word; `is_deaf` to what
would stop it; and whether the new version goes `live`. What it was asked to do is a line in `calls.jsonl` each time.
"""

import json
import os
import signal
import struct
import sys
import time
import zlib
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from model.persona import Persona, write_persona
from model.store import Store

INTERRUPTED = 130
Plan = dict[str, Any]


class Stopped(Exception):  # noqa: N818  # It is no error.
    """Told to stop."""


def main() -> int:
    args = _options()
    plan: Plan = {"steps": 4, "live": True} | json.loads((args.store / "plan.json").read_text())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN if plan.get("is_deaf") else _stop)
    _write_down(args)
    try:
        _train(args, plan)
    except Stopped:
        (args.store / "stopped").touch()
        return INTERRUPTED
    return 0


def _options() -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("command", choices=["retrain"])
    for name in ("--store", "--script", "--lessons"):
        parser.add_argument(name, type=Path)
    for name in ("--persona", "--character"):
        parser.add_argument(name)
    for name in ("--json", "--resume"):
        parser.add_argument(name, action="store_true")
    return parser.parse_args()


def _stop(*_: object) -> None:
    raise Stopped


def _write_down(args: Namespace) -> None:
    call = {
        "arguments": {name: str(value) for name, value in vars(args).items() if value},
        "lessons": args.lessons.read_text(encoding="utf-8").splitlines() if args.lessons else [],
        "pid": os.getpid(),
        "environment": sorted(os.environ),
    }
    with (args.store / "calls.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(call) + "\n")


def _train(args: Namespace, plan: Plan) -> None:
    file = args.store / args.persona / ".runs" / "step"
    if args.resume and not file.exists():
        sys.exit(_failed(f"--resume: {args.store} holds no unfinished retraining of {args.persona!r}"))
    store = Store(args.store)
    _say(event="started", run="run-1", persona=args.persona, live=store.live_name(args.persona))
    _progress("prepare", 0, 3)
    if not args.resume:
        file.parent.mkdir(exist_ok=True)
        file.write_text("0")
    for step in range(int(file.read_text()) + 1, plan["steps"] + 1):
        file.write_text(str(step))
        _progress("train", step, plan["steps"], seconds_left=60.0 * (plan["steps"] - step), loss=4.0 / step)
        _meet_fate(args.store, plan, step)
    _progress("evaluate", 1, 1)
    _decide(args, plan, store)
    file.unlink()


def _meet_fate(folder: Path, plan: Plan, step: int) -> None:
    while step == plan.get("hold_at") and (folder / "hold").exists():
        time.sleep(0.02)
    if step == plan.get("fail_at"):
        print("a warning that nobody needs\n", file=sys.stderr)
        sys.exit(_failed("disk full: 3 GB are needed"))
    if step == plan.get("die_at"):
        os.kill(os.getpid(), signal.SIGKILL)


def _decide(args: Namespace, plan: Plan, store: Store) -> None:
    old, name = store.live_name(args.persona), f"v{len(store.names(args.persona)) + 1}"
    folder = args.store / args.persona / name
    make_version(folder, Persona(args.persona, "Lisa Simpson"))
    (folder / "loss.png").write_bytes(picture())
    live = plan["live"]
    if live:
        store.promote(args.persona, name)
    found = {"name": "true answer found", "old": 0.73, "new": 0.74, "better": "higher", "tolerance": 0.05, "ok": True}
    figure = {"name": "perplexity", "old": 17.41, "new": 16.2 if live else 19.0, "better": "lower", "tolerance": 0.3}
    measures = [{**figure, "ok": live}, found]
    reasons = [] if live else ["perplexity: 19 instead of 17.4"]
    verdict = {"version": name, "live": live, "compared_with": old, "measures": measures, "reasons": reasons}
    _say(event="verdict", **verdict, picture=str(folder / "loss.png"))


def make_version(folder: Path, persona: Persona) -> None:
    """A version that is as whole as its card."""
    (folder / "engine").mkdir(parents=True)
    write_persona(persona, folder / "persona.toml")
    (folder / "manifest.json").write_text(json.dumps({"created": "", "base": "", "files": {}}))


def picture() -> bytes:
    """A PNG of one grey dot."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", zlib.compress(b"\0\x80")) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _progress(stage: str, done: int, total: int, seconds_left: float | None = None, loss: float | None = None) -> None:
    _say(event="progress", stage=stage, done=done, total=total, seconds_left=seconds_left, loss=loss)


def _say(**event: Any) -> None:
    print(json.dumps(event), flush=True)


def _failed(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

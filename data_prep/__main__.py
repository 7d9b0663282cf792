"""The command line: python -m data_prep SCRIPT --character NAME --out DIR."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, NoReturn

from data_prep.schema import MAPPED_COLUMNS, REPORT, REQUIRED_COLUMNS, ScriptError

if TYPE_CHECKING:
    from data_prep.preparation import Request

INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status: 0, 1 for input that will not do, 130 when interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.list_characters and not (options.character and options.out):
        parser.error("--character NAME and --out DIR are needed, or --list-characters")
    try:
        _list_characters(options) if options.list_characters else _prepare(options)
    except ScriptError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: preparing a script needs {error.name}, which `make install-dev` installs", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough; nothing may be flushed into the closed pipe at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a full disk, a folder one may not enter
        print(f"error: {error.filename or gettempdir()}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m data_prep", description="Turn a script file into training examples.")
    parser.add_argument("script", type=Path, metavar="SCRIPT", help="a .csv, .csv.gz or .parquet file")
    parser.add_argument("--character", metavar="NAME", help="whose lines are the answers; a short form will do")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the examples folder; an older one is replaced")
    parser.add_argument("--context", type=_context, default=3, metavar="N", help="lines before an answer (default 3)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which episodes are held out (default 0)")
    parser.add_argument(
        "--columns",
        type=_columns,
        default={},
        metavar="speaker=A,text=B",
        help=f"another show's columns: {', '.join(MAPPED_COLUMNS)}; only the first two are needed",
    )
    parser.add_argument("--list-characters", action="store_true", help="show who speaks how many lines, and end")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON and nothing else")
    return parser


def _context(text: str) -> int:
    if not text.isdecimal() or len(text) > 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines below 10000")
    return int(text)


def _columns(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",")]
    columns = {name.strip(): column.strip() for name, _, column in pairs}
    if not all(columns.values()) or len(columns) != len(pairs):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form speaker=COLUMN,text=COLUMN")
    if unknown := [name for name in columns if name not in MAPPED_COLUMNS]:
        raise argparse.ArgumentTypeError(f'there is no "{unknown[0]}"; it maps {", ".join(MAPPED_COLUMNS)}')
    if missing := [name for name in REQUIRED_COLUMNS if name not in columns]:
        raise argparse.ArgumentTypeError(f"{missing[0]}=... is missing")
    return columns


def _list_characters(options: argparse.Namespace) -> None:
    from data_prep.preparation import count_characters

    lines = count_characters(options.script, options.columns)
    if options.json:
        print(json.dumps(lines, ensure_ascii=False, indent=1))
        return
    width = max(map(len, lines), default=0)
    for name, count in lines.items():
        print(f"{name:<{width}}  {count:>7,}")


def _prepare(options: argparse.Namespace) -> None:
    from data_prep.preparation import Request

    request = Request(options.script, options.character, options.out, options.context, options.seed, options.columns)
    manifest = _run(request)
    if options.json:
        print(json.dumps(manifest["counts"], indent=1))
    else:
        print("\n".join(_summary(manifest, options.out)))


def _run(request: Request) -> dict[str, Any]:
    from tqdm import tqdm

    from data_prep.preparation import STEPS, prepare

    with tqdm(total=len(STEPS), leave=False, disable=None, bar_format="{desc:<10} {bar:20} {elapsed}") as bar:

        def step(name: str, share: float) -> None:
            bar.set_description_str(name)
            bar.update(STEPS.index(name) + share - bar.n)

        return prepare(request, step)


def _summary(manifest: dict[str, Any], out: Path) -> list[str]:
    counts, splits = manifest["counts"], manifest["counts"]["splits"]
    held = ", ".join(f"{split} {of['target_pairs']:,}" for split, of in splits.items())
    return [
        f"{manifest['source']['file']} ({manifest['source']['encoding']}): {counts['rows_read']:,} rows read"
        f" = {counts['rows_kept']:,} kept ({counts['rows_repaired']:,} repaired)"
        f" + {counts['rows_rejected']:,} rejected",
        f"{counts['spoken_lines']:,} spoken lines by {counts['characters']:,} characters,"
        f" {counts['scenes']:,} scenes, {counts['episodes']:,} episodes",
        f"{manifest['character']}: {counts['target_pairs']:,} answers ({held}), split by {_units(manifest)}",
        f"Written to {out}; {out / REPORT} shows it all",
    ]


def _units(manifest: dict[str, Any]) -> str:
    unit = manifest["settings"]["split_by"]
    if not all(of["target_pairs"] for of in manifest["counts"]["splits"].values()):
        return "episodes: too few lines to hold some out for every split"
    return {
        "episode": "whole episodes",
        "scene": "scenes, as fewer than three episodes have the character",
        "block": "tenths of the show, as fewer than three scenes have the character",
    }[unit]


if __name__ == "__main__":
    sys.exit(main())

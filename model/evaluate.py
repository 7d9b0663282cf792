"""How well a version plays its character, beside its base, on episodes that it has never seen.

The measures are in `model.evaluation`.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.schema import SPLITS, TEST
from model.errors import ModelError
from model.examples import hash_examples
from model.store import DEFAULT_STORE

if TYPE_CHECKING:
    from model.store import Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `evaluate`."""
    parser.add_argument("--persona", required=True, metavar="NAME", help="id of the persona, such as lisa")
    parser.add_argument("--version", metavar="NAME", help="version to evaluate (default: the live one)")
    parser.add_argument(
        "--examples", type=Path, metavar="DIR", help="folder that data_prep wrote (default: the one it was trained on)"
    )
    parser.add_argument("--split", choices=SPLITS, default=TEST, help="episodes to use (default: %(default)s)")
    parser.add_argument("--episodes", nargs="+", default=(), metavar="ID", help="only these episodes of the split")
    parser.add_argument(
        "--limit",
        type=int,
        default=0,
        metavar="N",
        help="at most so many examples, ranked contexts and generated answers, evenly spread (default: no limit)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page with plots and sample answers, too")
    parser.add_argument(
        "--store", type=Path, default=DEFAULT_STORE, metavar="DIR", help="model store (default: %(default)s)"
    )


def main(args: argparse.Namespace) -> int:
    """Evaluate and print; ModelError for a user's mistake."""
    from model.evaluation.comparison import compare
    from model.evaluation.report import write_report
    from model.store import Store

    if args.limit < 0:
        raise ModelError(f"--limit is {args.limit}, but must be 0 or more")
    if args.report and (args.report.is_dir() or not args.report.parent.is_dir()):
        raise ModelError(f"--report is {args.report}, but must be a file in a folder that exists")
    store = Store(args.store)
    version = store.get(args.persona, args.version) if args.version else store.live(args.persona)
    comparison = compare(version, _examples(version, args.examples), args.split, args.limit, args.episodes)
    # The figures took a while: they are out before anything can go wrong with the page.
    print(comparison.evaluation.as_json() if args.json else comparison.evaluation.as_table(), flush=True)
    if args.report:
        write_report(args.report, comparison)
    return 0


def _examples(version: "Version", chosen: Path | None) -> Path:
    """The folder to measure on. It must be the one that was trained on, for another may hold out other episodes."""
    known = version.manifest.get("settings", {}).get("examples")
    if chosen is None and known is None:
        raise ModelError(f"--examples is required: {version.name} does not say what it was trained on")
    folder = chosen or Path(known)
    expected = version.manifest.get("data", {}).get("examples_sha256")
    if expected and hash_examples(folder) != expected:
        raise ModelError(
            f"{folder} holds other examples than {version.name} was trained on, and so may hold out other episodes"
        )
    return folder

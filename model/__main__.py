"""`python -m model COMMAND`: train, evaluate, retrain, talk to, list and switch versions, and measure speed."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import ModelError
from model.store import DEFAULT_STORE, Store

if TYPE_CHECKING:
    from model.character import Character


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 after an error of the user's, 130 after Ctrl-C."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "bench":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        return int(options.run(options))
    except ModelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: this needs {error.name}, which `make install-dev` installs", file=sys.stderr)
        return 1
    except OSError as error:
        place = error.filename or getattr(options, "store", options.command)
        print(f"error: {place}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    from model import evaluate, retrain, train

    parser = argparse.ArgumentParser(prog="python -m model", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in (("train", train), ("evaluate", evaluate), ("retrain", retrain)):
        command = commands.add_parser(name, help=(module.__doc__ or "").splitlines()[0])
        module.add_arguments(command)
        command.set_defaults(run=module.main)
    _add_say(commands.add_parser("say", help="answer one message, or each line of standard input"))
    _add_versions(commands)
    bench = commands.add_parser("bench", help="how quick the engines are, side by side", add_help=False)
    bench.set_defaults(run=_bench)  # The rest of the command line is the measuring program's own.
    return parser


def _add_say(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("message", help="what to say; - reads messages from standard input, one a line")
    _add_place(parser)
    parser.add_argument("--seed", type=int, help="the same seed gives the same answers")
    parser.add_argument("--engine", default="openvino", help="openvino (default) or transformers")
    parser.add_argument("--no-filter", action="store_true", help="let slurs, swear words and sexual content pass")
    parser.set_defaults(run=_say)


def _add_versions(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    listing = commands.add_parser("list", help="personas and their versions, the live one marked")
    listing.add_argument("--store", type=Path, default=DEFAULT_STORE, help=f"model store (default {DEFAULT_STORE})")
    listing.set_defaults(run=_list)
    promotion = commands.add_parser("promote", help="make a version the live one")
    _add_place(promotion)
    promotion.add_argument("version")
    promotion.set_defaults(run=_promote)
    rollback = commands.add_parser("rollback", help="make the version live again that was live before")
    _add_place(rollback)
    rollback.set_defaults(run=_rollback)
    _add_ship(commands.add_parser("ship", help="put a trained version into model/personas/, to ship with the project"))


def _add_ship(parser: argparse.ArgumentParser) -> None:
    _add_place(parser)
    parser.add_argument("--version", help="version to ship (default: the live one)")
    parser.add_argument("--evaluation", type=Path, metavar="FILE", help="its figures, as `evaluate --json` prints them")
    parser.set_defaults(run=_ship)


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--persona", required=True, help="id of the persona, such as lisa")
    parser.add_argument("--store", type=Path, default=DEFAULT_STORE, help=f"model store (default {DEFAULT_STORE})")


def _say(options: argparse.Namespace) -> int:
    from model.character import load_character

    messages = _typed_lines() if options.message == "-" else [options.message]
    character = load_character(options.persona, options.store, options.engine, not options.no_filter)
    asyncio.run(_answer_all(character, messages, options.seed))
    return 0


def _typed_lines() -> Iterator[str]:
    # What is not UTF-8 is answered as well as can be.
    yield from (line.decode("utf-8", "replace") for line in sys.stdin.buffer)


async def _answer_all(character: "Character", messages: Iterable[str], seed: int | None) -> None:
    from model.engine import GenerationSettings
    from model.prompt import Turn

    settings = GenerationSettings(seed=seed)
    try:
        for message in messages:
            if message.strip():
                pieces = [piece async for piece in character.reply([Turn("", message.strip(), False)], settings)]
                print(" ".join("".join(pieces).split()), flush=True)
    finally:
        await character.close()


def _list(options: argparse.Namespace) -> int:
    store = Store(options.store)
    for persona in store.personas():
        live, names = store.live_name(persona), store.names(persona)
        if not names:
            print(f"{persona}  (ships with the project; installed at first use)")
        for name in names:
            print(f"{persona} {'*' if name == live else ' '} {name}  {_describe(store, persona, name)}")
    return 0


def _describe(store: Store, persona: str, name: str) -> str:
    try:
        version = store.get(persona, name)
    except ModelError:
        return "damaged"
    return f"{version.manifest['created']}  {version.base}"


def _promote(options: argparse.Namespace) -> int:
    Store(options.store).promote(options.persona, options.version)
    print(f"{options.persona}: {options.version} is live")
    return 0


def _rollback(options: argparse.Namespace) -> int:
    print(f"{options.persona}: {Store(options.store).rollback(options.persona).name} is live")
    return 0


def _ship(options: argparse.Namespace) -> int:
    from model.shipping import ship

    store = Store(options.store)
    version = store.get(options.persona, options.version) if options.version else store.live(options.persona)
    print(f"{options.persona}: {version.name} is in {ship(version, options.evaluation)}")
    return 0


def _bench(options: argparse.Namespace) -> int:
    try:
        program = import_module("benchmarks.speed.command")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("benchmarks"):
            raise ModelError("`bench` needs the folder benchmarks/, which comes with the repository") from error
        raise
    return int(program.main(options.rest))


if __name__ == "__main__":
    sys.exit(main())

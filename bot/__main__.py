"""The bot's commands: run (on Telegram), offline (on a page of this machine), chat (in the terminal).

And the care for its database: backup, restore; and what is to be learned from it: feedback.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.errors import BotError, SettingsError
from bot.settings import Settings, load_settings

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
KEEPING = ("backup", "restore", "feedback")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        _set_up_logging(settings, quiet=given.command == "chat")
        if given.command in KEEPING:
            _keep(given.command, settings, given.file)
        else:
            _run(given.command or _default_command(settings), settings)
    except BotError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE if isinstance(error, SettingsError) else FAILED
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except Exception:
        # Through the log, which keeps the token out of the traceback.
        logging.getLogger("bot").critical("The bot ends because of an error", exc_info=True)
        return FAILED
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="A character of a script, in conversation.")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    commands.add_parser("run", help="answer on Telegram (needs TELEGRAM_BOT_TOKEN; the default if it is set)")
    commands.add_parser("offline", help="answer on a page of this machine that looks like Telegram (else the default)")
    commands.add_parser("chat", help="answer in this terminal, or line by line from a pipe")
    backup = commands.add_parser("backup", help="copy the database into a file, also while the bot runs")
    backup.add_argument("file", type=Path, metavar="FILE", help="replaced if it is there")
    restore = commands.add_parser("restore", help="bring a backup back; the database that is there is kept beside it")
    restore.add_argument("file", type=Path, metavar="FILE", help="what `backup` has made")
    feedback = commands.add_parser("feedback", help="write the accepted answers and corrections, for the training")
    feedback.add_argument("file", type=Path, metavar="FILE", help="JSON lines; replaced if it is there")
    parser.epilog = "Settings come from the environment and from .env; .env.example explains each one."
    return parser


def _default_command(settings: Settings) -> str:
    return "run" if settings.telegram_bot_token else "offline"


def _set_up_logging(settings: Settings, quiet: bool) -> None:
    from bot.logs import set_up_logging

    # Between the lines of a terminal chat only warnings belong.
    level = "WARNING" if quiet and settings.log_level == "INFO" else settings.log_level
    set_up_logging(level, settings.secrets(), settings.log_format)


def _run(command: str, settings: Settings) -> None:
    import asyncio

    if command == "chat":
        from bot.console import chat

        chat(settings)
    elif command == "offline":
        from bot.rehearsal import rehearse
        from bot.stars import load_actor

        # Loaded before the event loop runs: the loop would keep Ctrl-C waiting until a download is over.
        actor = load_actor(settings)
        asyncio.run(rehearse(settings, actor=actor))
    else:
        from bot.app import build

        asyncio.run(build(settings).run())


def _keep(command: str, settings: Settings, file: Path) -> None:
    from bot.storage.backup import backup, restore
    from bot.training.lessons import write_lessons

    work = {"backup": backup, "restore": restore, "feedback": write_lessons}[command]
    print(work(settings.database_url.get_secret_value(), file))


if __name__ == "__main__":
    sys.exit(main())

"""What handles an update, as python-telegram-bot calls it, and what a feature of the bot has of it."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from telegram import Update
from telegram.ext import ContextTypes

Callback = Callable[[Update, ContextTypes.DEFAULT_TYPE], Coroutine[Any, Any, None]]
Pattern = str | re.Pattern[str]


class Feature:
    """Some of what the bot can do: commands, and buttons under its messages."""

    def callbacks(self) -> Mapping[str, Callback]:
        """The callbacks by the command's name."""
        return {}

    def buttons(self) -> Mapping[Pattern, Callback]:
        """The callbacks by the pattern that the data of a button has."""
        return {}

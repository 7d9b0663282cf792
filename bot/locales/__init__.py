"""The texts of the interface: gettext catalogues, English being the source and the fallback.

The language of a text is that of whoever it is for, unless the chat has chosen one. The choice is made once, when the
work on an update begins, and holds for the task that does it: so whoever says something need not know of it.
"""

import gettext
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path

FOLDER = Path(__file__).parent
DOMAIN = "bot"
DEFAULT = "en"
LANGUAGES = ("en", "ru")

Translate = Callable[[str], str]


class Locales:
    """All catalogues, read once."""

    def __init__(self) -> None:
        self._catalogues = {code: gettext.translation(DOMAIN, FOLDER, [code]) for code in LANGUAGES}
        self._chosen: ContextVar[str | None] = ContextVar("language", default=None)

    def choose(self, language: str | None) -> None:
        """Speak this language to everybody for the rest of the task; None: to each their own."""
        self._chosen.set(language)

    def speak(self, language_code: str | None) -> Translate:
        """The texts for an IETF language tag such as Telegram gives: "ru", "en-GB"; English for any other."""
        return self._catalogues[self.language(language_code)].gettext

    def language(self, language_code: str | None) -> str:
        """The language that is spoken to somebody with this tag: for what is said later, when nobody has asked."""
        code = (self._chosen.get() or language_code or DEFAULT).split("-")[0].lower()
        return code if code in self._catalogues else DEFAULT

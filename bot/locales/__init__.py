"""The texts of the interface: gettext catalogues, English being the source and the fallback."""

import gettext
from collections.abc import Callable
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

    def speak(self, language_code: str | None) -> Translate:
        """The texts for an IETF language tag such as Telegram gives: "ru", "en-GB"; English for any other."""
        code = (language_code or DEFAULT).split("-")[0].lower()
        return self._catalogues.get(code, self._catalogues[DEFAULT]).gettext

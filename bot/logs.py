"""Logging: to stderr, and never a token or what people say in it.

Telegram's URLs hold the bot's token, and libraries log them, put them in exceptions and in representations of their
objects. So every handler gets a filter that rewrites what a record would print, the traceback included. The filter
also drops the server replies that python-telegram-bot quotes in its errors, as they may repeat a message. Otherwise
message text is kept out by holding the libraries that log it above the level at which they do.
"""

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote

MASK = "[token]"
CHATTY = {
    "httpx": "WARNING",
    "httpcore": "WARNING",
    "aiosqlite": "WARNING",
    "alembic": "WARNING",
    "telegram": "INFO",
    "telegram.request": "CRITICAL",  # Its errors hold whole replies; they are raised too, which is enough.
}
# In the texts of errors, up to the end of the line.
QUOTED_REPLY = re.compile(r"(Parsing the server response|The server response contained unknown parameters).*")


class Redaction(logging.Filter):
    """Replaces secrets in messages, tracebacks and stacks, in their percent-encoded form too; drops quoted replies."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        plain = [secret for secret in secrets if secret]
        # Longest first, so that no secret is left half shown because a shorter one was inside it.
        self._secrets = sorted({form for secret in plain for form in _forms(secret)}, key=len, reverse=True)
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            # Formatters print this cached text instead of formatting the exception anew.
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self.redact(record.exc_text)
        if record.stack_info:
            record.stack_info = self.redact(record.stack_info)
        return True

    def redact(self, text: str) -> str:
        """`text` without any of the secrets and without replies that an error quotes."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return QUOTED_REPLY.sub(r"\1 [...]", text)


class JsonLines(logging.Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message; exception and stack where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        # The redaction has formatted the exception already, and left its text in the record.
        if exception := record.exc_text or (record.exc_info and self.formatException(record.exc_info)):
            line["exception"] = exception
        if record.stack_info:
            line["stack"] = record.stack_info
        return json.dumps(line, ensure_ascii=False)


def _forms(secret: str) -> tuple[str, ...]:
    encoded = quote(secret, safe="")
    return secret, encoded, encoded.replace("%3A", "%3a")


def set_up_logging(level: str, secrets: Iterable[str] = (), log_format: str = "text") -> None:
    """Log to stderr at `level`, as text or json, and hide `secrets` in every handler that the root logger has."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if log_format == "json" else text)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    redaction = Redaction(secrets)
    for each in root.handlers:
        each.addFilter(redaction)
    for name, floor in CHATTY.items():
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.getLevelName(floor)))
    logging.captureWarnings(True)

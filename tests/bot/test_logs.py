"""Logging: no token in any line, whichever way it gets there."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import pytest
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from bot.logs import MASK, Redaction, set_up_logging

TOKEN = "123456:AAH-secret_part"


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Redaction([TOKEN]))
    logger = logging.getLogger("test.redaction")
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


@pytest.mark.parametrize("form", [TOKEN, quote(TOKEN, safe=""), TOKEN.replace(":", "%3a")])
def test_a_token_is_masked_in_messages_and_in_their_arguments(
    log: tuple[logging.Logger, io.StringIO], form: str
) -> None:
    logger, stream = log
    logger.error(f"GET https://api.telegram.org/bot{form}/getMe")
    logger.error("calling %s: %r", f"bot{form}", {"url": form})
    assert "secret_part" not in stream.getvalue()
    assert stream.getvalue().count(MASK) == 3


def test_a_token_is_masked_in_a_traceback_with_its_causes(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    request = httpx.Request("GET", f"https://api.telegram.org/bot{TOKEN}/getUpdates")
    try:
        try:
            httpx.Response(404, request=request).raise_for_status()
        except httpx.HTTPStatusError as error:
            raise RuntimeError(f"polling bot{TOKEN}") from error
    except RuntimeError:
        logger.exception("it failed", stack_info=True)
    assert "Traceback" in stream.getvalue()
    assert "404" in stream.getvalue()
    assert "secret_part" not in stream.getvalue()


def test_every_handler_of_the_root_logger_masks_the_token(
    root_logger: logging.Logger, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("DEBUG", [TOKEN])
    logging.getLogger("anything").debug("bot%s", TOKEN)
    assert "secret_part" not in caplog.text + capsys.readouterr().err
    assert f"bot{MASK}" in caplog.text


def test_as_json_a_line_is_one_object_in_which_the_token_is_masked(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("INFO", [TOKEN], "json")
    logging.getLogger("anything").info('"Привет",\n%s', f"bot{TOKEN}")
    try:
        raise RuntimeError(f"polling bot{TOKEN}")
    except RuntimeError:
        logging.getLogger("anything").exception("it failed", stack_info=True)
    plain, failed = map(json.loads, capsys.readouterr().err.splitlines())
    assert datetime.fromisoformat(plain.pop("time")).tzinfo == UTC
    assert plain == {"level": "INFO", "logger": "anything", "message": f'"Привет",\nbot{MASK}'}
    assert (failed["level"], failed["message"]) == ("ERROR", "it failed")
    assert failed["exception"].startswith("Traceback")
    assert failed["exception"].endswith(f"RuntimeError: polling bot{MASK}")
    assert failed["stack"].startswith("Stack")


def test_libraries_that_log_urls_and_message_texts_stay_quiet_at_debug_level(root_logger: logging.Logger) -> None:
    set_up_logging("DEBUG")
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
    assert not logging.getLogger("aiosqlite").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("telegram.ext.Application").isEnabledFor(logging.DEBUG)
    assert logging.getLogger("bot.inbox").isEnabledFor(logging.DEBUG)


@pytest.mark.parametrize("status", [200, 400, 502])
@pytest.mark.parametrize(
    "reply", [b'{"ok": true, "text": "private words', b'{"ok": false, "parameters": {"text": "private words"}}']
)
async def test_a_reply_that_makes_no_sense_is_not_quoted(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str], status: int, reply: bytes
) -> None:
    set_up_logging("DEBUG", [TOKEN])
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=reply))
    async with HTTPXRequest(httpx_kwargs={"transport": transport}) as request:
        try:
            await request.post("https://api.telegram.org/sendMessage")
        except (TelegramError, KeyError) as error:
            logging.getLogger("bot").error("it failed: %s", error, exc_info=error)
    printed = capsys.readouterr().err
    assert "it failed" in printed
    assert "Traceback" in printed
    assert "private" not in printed

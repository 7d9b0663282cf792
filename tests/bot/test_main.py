"""The command line: what runs without a command, and the one line that a mistake gets."""

import logging
from pathlib import Path

import pytest

from bot import __main__ as program
from bot.errors import BotError
from bot.settings import Settings


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root_logger: logging.Logger) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("arguments", "environment", "key"),
    [
        ("run", {}, "TELEGRAM_BOT_TOKEN"),
        ("run", {"TELEGRAM_BOT_TOKEN": "lisa"}, "TELEGRAM_BOT_TOKEN"),
        ("run", {"TELEGRAM_BOT_TOKEN": "1:a", "ADMIN_IDS": "me"}, "ADMIN_IDS"),
        ("run", {"TELEGRAM_BOT_TOKEN": "1:a", "DATABASE_URL": "mysql"}, "DATABASE_URL"),
        ("run", {"TELEGRAM_BOT_TOKEN": "1:a", "PERSONA": "nobody"}, "PERSONA"),
        ("chat", {"PERSONA": "nobody"}, "PERSONA"),
        ("chat", {"ENGINE": "steam"}, "ENGINE"),
        ("offline", {"OFFLINE_PORT": "none"}, "OFFLINE_PORT"),
    ],
)
def test_a_bad_setting_ends_at_start_with_one_line_that_names_the_key(
    arguments: str,
    environment: dict[str, str],
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert program.main([arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = [line for line in err.splitlines() if not line.startswith("Loading ")]
    assert line.startswith("error: ")
    assert key in line


@pytest.mark.parametrize(("token", "command"), [("", "offline"), ("1:abc", "run")])
def test_without_a_command_it_runs_if_there_is_a_token_and_offline_if_not(
    token: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(program, "_run", lambda name, _settings: started.append(name))
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", token)
    assert program.main([]) == 0
    assert started == [command]


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), 130), (BotError("it broke"), 1)])
def test_the_exit_status_tells_what_happened(
    error: BaseException, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(program, "_run", fail)
    assert program.main(["run"]) == status
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_unexpected_error_is_logged_with_its_traceback_and_without_the_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("https://api.telegram.org/bot1:secret/getMe")

    monkeypatch.setattr(program, "_run", fail)
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "1:secret")
    assert program.main(["run"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "1:secret" not in err

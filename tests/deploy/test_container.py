"""The container: what goes into it, what stays out, and how it is run."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.engine import make_url

from bot.settings import Settings
from tests.deploy.dockerfile import ROOT, arguments, copies, instructions, is_ignored

KNOWN = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "HEALTHCHECK", "STOPSIGNAL", "CMD"}


@pytest.fixture(scope="module")
def bot() -> dict[str, Any]:
    """The service of the compose file."""
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    assert set(compose["services"]) == {"bot"}
    assert set(compose["volumes"]) == {"data"}
    return dict(compose["services"]["bot"])


def test_every_file_that_is_copied_exists_and_is_let_in() -> None:
    assert len(copies()) > 5
    assert [source for source, _ in copies() if not (ROOT / source).exists() or is_ignored(source)] == []


@pytest.mark.parametrize(
    "path",
    [".env", ".env.old", "bot/.env", "var/understudy.db", ".git/config", ".venv/bin/python", "bot/__pycache__/x"],
)
def test_secrets_data_and_what_is_made_again_stay_out(path: str) -> None:
    assert is_ignored(path)


@pytest.mark.parametrize("path", ["bot/app.py", "model/personas/lisa/persona.toml", "migrations/env.py"])
def test_the_program_and_the_character_that_ships_are_let_in(path: str) -> None:
    assert (ROOT / path).is_file()
    assert not is_ignored(path)


def test_every_instruction_is_one() -> None:
    assert {name for name, _ in instructions()} == KNOWN


def test_packages_are_installed_by_their_hashes() -> None:
    (install,) = [words for words in arguments("RUN") if "pip install" in words]
    assert "--require-hashes --requirement requirements.lock" in install


def test_the_bot_does_not_run_as_root() -> None:
    (user,) = arguments("USER")
    assert user == "understudy"
    names = [name for name, _ in instructions()]
    assert names.index("USER") < names.index("CMD")


def test_all_that_changes_is_in_the_volume(bot: dict[str, Any]) -> None:
    (workdir,), (volume,) = arguments("WORKDIR"), arguments("VOLUME")
    assert bot["volumes"] == [f"data:{volume}"]
    database = make_url(Settings.model_fields["database_url"].default.get_secret_value()).database
    for default in (str(Settings.model_fields["model_store"].default), str(database)):
        assert (Path(workdir) / default).is_relative_to(volume)
    (environment,) = arguments("ENV")
    assert f"UNDERSTUDY_CACHE={volume}/" in environment


def test_compose_builds_this_dockerfile_and_reads_the_same_settings(bot: dict[str, Any]) -> None:
    folder = ROOT / "deploy"
    assert (folder / bot["build"]["context"]).resolve() == ROOT
    assert (ROOT / bot["build"]["dockerfile"]).is_file()
    assert (folder / bot["env_file"]).resolve() == ROOT / ".env"
    assert {key.lower() for key in bot["environment"]} <= set(Settings.model_fields)


def test_a_container_starts_again_and_is_given_time_to_stop(bot: dict[str, Any]) -> None:
    assert bot["restart"] == "unless-stopped"
    assert bot["init"] is True
    assert float(bot["stop_grace_period"].removesuffix("s")) >= 3 * Settings.model_fields["shutdown_grace"].default


def test_a_container_may_write_only_its_volume_and_gains_no_rights(bot: dict[str, Any]) -> None:
    assert bot["read_only"] is True
    assert bot["tmpfs"] == "/tmp"
    assert bot["cap_drop"] == ["ALL"]
    assert bot["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in bot
    assert "ports" not in bot

"""The unit of systemd: it names what is there, and allows what the bot needs and no more."""

from bot.__main__ import FAILED, USAGE, _parser
from bot.settings import Settings
from tests.deploy.dockerfile import ROOT, command

UNIT = ROOT / "deploy" / "understudy.service"
HARDENING = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallFilter": "@system-service",
}


def settings_of(section: str) -> dict[str, str]:
    """The keys of a section; a key that stands there twice, or a line that is none, fails."""
    found: dict[str, dict[str, str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = {}
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            last = list(found)[-1]
            assert key not in found[last], key
            found[last][key] = value
    assert list(found) == ["Unit", "Service", "Install"]
    return found[section]


def test_it_runs_what_the_container_runs_and_what_there_is() -> None:
    program, *words = settings_of("Service")["ExecStart"].split()
    assert program == f"{settings_of('Service')['WorkingDirectory']}/.venv/bin/python"
    assert words == command()[1:]
    assert _parser().parse_args(words[2:]).command == "run"


def test_it_starts_again_after_a_crash_and_not_after_a_wrong_setting() -> None:
    service = settings_of("Service")
    assert service["Restart"] == "on-failure"
    assert int(service["RestartPreventExitStatus"]) == USAGE != FAILED


def test_it_is_given_time_to_stop() -> None:
    service = settings_of("Service")
    assert service["KillSignal"] == "SIGTERM"
    assert float(service["TimeoutStopSec"]) >= 3 * Settings.model_fields["shutdown_grace"].default


def test_it_has_a_user_of_its_own_and_writes_only_into_its_own_folders() -> None:
    service = settings_of("Service")
    assert service["User"] == service["StateDirectory"] == service["CacheDirectory"] == "understudy"
    assert service["Environment"] == "UNDERSTUDY_CACHE=/var/cache/understudy"
    assert "ReadWritePaths" not in service
    assert {key: service[key] for key in HARDENING} == HARDENING


def test_nothing_forbids_the_engine_to_compile_its_kernels() -> None:
    assert "MemoryDenyWriteExecute" not in settings_of("Service")


def test_the_handbook_that_it_points_to_is_there() -> None:
    documentation = settings_of("Unit")["Documentation"].removeprefix("file:///opt/understudy/")
    assert (ROOT / documentation).is_file()
    assert settings_of("Install") == {"WantedBy": "multi-user.target"}

"""What the operator's handbook says is there: every setting, every command with its options."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import Settings

ROOT = Path(__file__).parent.parent
HANDBOOK = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
KEYS = {name.upper() for name in Settings.model_fields}


def commands() -> dict[tuple[str, str], set[str]]:
    """Modules with their subcommands that the docs tell people to run, and the options that are given."""
    found: dict[tuple[str, str], set[str]] = {}
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        for module, sub, rest in re.findall(r"python -m (\w+)\b(?!\.)(?: ([a-z]+)\b(?![./]))?([^`\n]*)", text):
            options = set(re.findall(r"(?<!\S)--[a-z-]+", rest.partition("#")[0]))
            found.setdefault((module, sub), set()).update(options)
    return found


def test_every_key_of_the_handbook_is_a_setting_and_every_setting_is_in_the_handbook() -> None:
    named = set(re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)(?:=[^`]*)?`", HANDBOOK))
    named |= set(re.findall(r"^([A-Z_]+)=", HANDBOOK, re.MULTILINE))
    assert named == KEYS


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == KEYS


def test_the_docs_tell_people_to_run_the_commands_that_an_operator_needs() -> None:
    assert {("bot", "backup"), ("bot", "restore"), ("bot", "feedback"), ("model", "rollback")} <= commands().keys()


@pytest.mark.parametrize("module", ["bot", "model", "data_prep"])
def test_every_command_of_the_docs_exists_with_its_options(module: str) -> None:
    ours = {sub: options for (name, sub), options in commands().items() if name == module}
    assert ours
    for sub, options in ours.items():
        command = [sys.executable, "-m", module, *filter(None, [sub]), "--help"]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        known = set(re.findall(r"--[a-z-]+", told))
        assert options <= known, sub


def test_every_module_of_the_docs_exists() -> None:
    assert [module for module, _ in commands() if not (ROOT / module / "__main__.py").is_file()] == []


def test_the_steps_of_an_installation_name_what_the_unit_expects() -> None:
    unit = (ROOT / "deploy" / "understudy.service").read_text(encoding="utf-8")
    (folder,) = re.findall(r"^WorkingDirectory=(.+)$", unit, re.MULTILINE)
    (user,) = re.findall(r"^User=(.+)$", unit, re.MULTILINE)
    (state,) = re.findall(r"^StateDirectory=(.+)$", unit, re.MULTILINE)
    assert f"cd {folder}\n" in HANDBOOK
    assert f"useradd --system --home-dir /var/lib/{state} --shell /usr/sbin/nologin {user}\n" in HANDBOOK
    assert f"ln --symbolic --no-dereference /var/lib/{state} var\n" in HANDBOOK

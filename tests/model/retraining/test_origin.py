"""Where the examples of a retraining come from."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from model.errors import ModelError
from model.examples import hash_examples, read_manifest
from model.persona import SHIPPED, Persona, write_persona
from model.retraining.origin import Script, demo_script, learned_from
from model.store import Version

SCRIPT = """Who,Line
Jim,Do you like hay?
Dwight,Who does not?
Jim,I do not.
Dwight,Then leave.
"""


def version(folder: Path, manifest: dict[str, Any], persona: str = "dwight") -> Version:
    folder.mkdir()
    write_persona(Persona(persona, "Somebody"), folder / "persona.toml")
    return Version(folder, manifest)


def test_a_script_is_prepared_by_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "script.csv").write_text(SCRIPT, encoding="utf-8")
    Script(tmp_path / "script.csv", "dwight", "speaker=Who,text=Line").prepare(tmp_path / "out")
    assert read_manifest(tmp_path / "out")["character"] == "Dwight"


def test_what_data_prep_objects_to_is_passed_on_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "script.csv").write_text(SCRIPT, encoding="utf-8")
    with pytest.raises(ModelError) as error:
        Script(tmp_path / "script.csv", "Michael", "speaker=Who,text=Line").prepare(tmp_path / "out")
    assert "Michael" in str(error.value)
    assert not str(error.value).startswith("error")
    assert len(str(error.value).splitlines()) == 1


def test_the_examples_of_the_live_version_are_found_while_they_are_there_and_the_same(
    examples_folder: Path, tmp_path: Path
) -> None:
    examples = Path(shutil.copytree(examples_folder, tmp_path / "examples"))
    data = {"examples_sha256": hash_examples(examples)}
    live = version(tmp_path / "v1", {"settings": {"examples": str(examples)}, "data": data})
    assert learned_from(live) == examples
    data["examples_sha256"] = "0" * 64
    assert learned_from(live) is None
    shutil.rmtree(examples)
    assert learned_from(live) is None
    assert learned_from(version(tmp_path / "v2", {})) is None


def test_a_persona_that_ships_falls_back_to_the_script_that_ships_and_nobody_else_does(tmp_path: Path) -> None:
    manifest = json.loads((SHIPPED / "lisa" / "manifest.json").read_text(encoding="utf-8"))
    script = demo_script(version(tmp_path / "v1", manifest, "lisa"), "Lisa Simpson")
    assert script is not None
    assert script.file.is_file()
    assert demo_script(version(tmp_path / "v2", manifest, "my-lisa"), "Lisa Simpson") is None
    manifest["data"]["source"]["file"] = "office.csv"
    assert demo_script(version(tmp_path / "v3", manifest, "lisa"), "Lisa Simpson") is None

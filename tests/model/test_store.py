"""Versions on disk: taken whole or not at all, switched at one stroke."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from model import store as store_module
from model.errors import ModelError
from model.persona import Persona, read_persona, write_persona
from model.store import Store


@pytest.fixture
def run(gpt2_base: Path, tmp_path: Path) -> Path:
    """A finished run of full fine-tuning, as training leaves it."""
    folder = tmp_path / "run"
    shutil.copytree(gpt2_base, folder / "weights")
    write_persona(Persona("dwight", "Dwight Schrute", card="You are Dwight."), folder / "persona.toml")
    (folder / "training.json").write_text(json.dumps({"base": str(gpt2_base), "method": "full", "seed": 0}))
    (folder / "metrics.jsonl").write_text("{}\n")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_a_run_becomes_a_live_version_that_says_how_it_was_made(store: Store, run: Path) -> None:
    version = store.add("dwight", run)
    assert store.live("dwight").name == version.name == "v1"
    assert version.manifest["method"] == "full"
    assert version.manifest["persona"] == "dwight"
    assert version.persona.name == "Dwight Schrute"
    assert {"engine/openvino_model.bin", "engine/tokenizer.json", "metrics.jsonl", "persona.toml"} <= set(
        version.manifest["files"]
    )
    version.verify()


def test_promote_and_rollback_switch_between_versions(store: Store, run: Path) -> None:
    for _ in range(3):
        store.add("dwight", run)
    assert store.live("dwight").name == "v3"
    store.promote("dwight", "v1")
    assert store.live("dwight").name == "v1"
    assert store.rollback("dwight").name == "v3"
    assert store.rollback("dwight").name == "v2"
    with pytest.raises(ModelError, match="no earlier version"):
        store.rollback("dwight")
    assert store.live("dwight").name == "v2"


def test_a_rollback_passes_over_versions_that_were_deleted(store: Store, run: Path, tmp_path: Path) -> None:
    for _ in range(3):
        store.add("dwight", run)
    shutil.rmtree(tmp_path / "store" / "dwight" / "v2")
    assert store.earlier("dwight") == ["v1"]
    assert store.rollback("dwight").name == "v1"
    assert store.earlier("dwight") == []


def test_pruning_keeps_the_live_version_those_before_it_and_the_newest(store: Store, run: Path) -> None:
    for _ in range(3):
        store.add("dwight", run)
    for name in ("v1", "v3", "v2"):
        store.promote("dwight", name)
    store.add("dwight", run, promote=False)
    store.add("dwight", run, promote=False)
    assert store.prune("dwight", earlier=1) == ["v1", "v4"]
    assert store.names("dwight") == ["v2", "v3", "v5"]
    assert store.rollback("dwight").name == "v3"
    assert store.add("dwight", run).name == "v6"
    assert store.prune("jim", earlier=0) == []


def test_a_version_can_be_added_without_going_live(store: Store, run: Path) -> None:
    store.add("dwight", run)
    assert store.add("dwight", run, promote=False).name == "v2"
    assert store.live("dwight").name == "v1"
    assert store.names("dwight") == ["v1", "v2"]


def test_a_failing_export_leaves_no_version_behind(
    store: Store, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add("dwight", run)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module, "export", fail)
    with pytest.raises(OSError, match="No space left"):
        store.add("dwight", run)
    assert sorted(path.name for path in (tmp_path / "store" / "dwight").iterdir()) == ["current", "v1"]
    assert store.live("dwight").name == "v1"


def test_a_damaged_file_is_named(store: Store, run: Path) -> None:
    version = store.add("dwight", run)
    with (version.engine_folder / "openvino_model.bin").open("r+b") as file:
        file.write(b"\0\1\2")
    with pytest.raises(ModelError, match=r"openvino_model\.bin is missing or damaged"):
        version.verify()


@pytest.mark.parametrize("damage", ["{}", "not JSON", "[]"])
def test_a_damaged_version_does_not_stand_in_the_way_of_a_rollback(
    store: Store, run: Path, tmp_path: Path, damage: str
) -> None:
    for _ in range(2):
        store.add("dwight", run)
    (tmp_path / "store" / "dwight" / "v2" / "manifest.json").write_text(damage)
    with pytest.raises(ModelError, match=r"v2/manifest\.json"):
        store.live("dwight")
    assert store.rollback("dwight").name == "v1"


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"\n"])
def test_a_damaged_pointer_to_the_live_version_is_named_and_mended_by_promoting(
    store: Store, run: Path, tmp_path: Path, damage: bytes
) -> None:
    store.add("dwight", run)
    (tmp_path / "store" / "dwight" / "current").write_bytes(damage)
    with pytest.raises(ModelError, match=r"current|no version"):
        store.live("dwight")
    store.promote("dwight", "v1")
    assert store.live("dwight").name == "v1"


def test_others_may_read_what_was_stored(store: Store, run: Path) -> None:
    plain = run.parent / "plain"
    plain.mkdir()
    assert store.add("dwight", run).folder.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("name", ["../../etc", "Dwight", "", "a/b", ".hidden"])
def test_a_persona_id_can_never_be_a_path(store: Store, name: str) -> None:
    with pytest.raises(ModelError, match="must be lower-case letters"):
        store.live(name)


def test_an_unknown_persona_is_told_which_there_are(store: Store) -> None:
    with pytest.raises(ModelError, match=r"no persona 'homer' in .*; there are: lisa"):
        store.live("homer")


def test_an_unknown_version_is_told_which_there_are(store: Store, run: Path) -> None:
    store.add("dwight", run)
    with pytest.raises(ModelError, match="no version 'v9'; there are: v1"):
        store.promote("dwight", "v9")


def test_a_shipped_persona_is_installed_at_first_use_and_again_when_it_changes(
    store: Store, gpt2_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = tmp_path / "shipped" / "homer" / "persona.toml"
    card.parent.mkdir(parents=True)
    monkeypatch.setattr(store_module, "SHIPPED", card.parent.parent)
    write_persona(Persona("homer", "Homer", base=str(gpt2_base)), card)
    first = store.live("homer")
    assert store.live("homer").name == first.name
    write_persona(Persona("homer", "Homer", base=str(gpt2_base), greeting="D'oh!"), card)
    second = store.live("homer")
    assert second.name != first.name
    assert second.persona.greeting == "D'oh!"
    assert store.names("homer") == [second.name]


def test_a_version_of_ones_own_is_not_replaced_by_what_ships(
    store: Store, run: Path, gpt2_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = tmp_path / "shipped" / "dwight" / "persona.toml"
    card.parent.mkdir(parents=True)
    monkeypatch.setattr(store_module, "SHIPPED", card.parent.parent)
    write_persona(Persona("dwight", "Dwight", base=str(gpt2_base)), card)
    store.add("dwight", run)
    assert store.live("dwight").name == "v1"


def test_a_persona_card_survives_being_written(tmp_path: Path) -> None:
    persona = Persona("x", 'A "quoted" name', "über\tTabs", "line one\nline \\two\x7f", "Hi 🎷", "gpt2", "Hm.")
    write_persona(persona, tmp_path / "persona.toml")
    assert read_persona(tmp_path / "persona.toml") == persona
    words = {"photo": ('A photo\nof "what"?', "I'm blind."), "dice": ()}
    talkative = replace(persona, languages=("en", "fil"), unreadable=words)
    write_persona(talkative, tmp_path / "persona.toml")
    assert read_persona(tmp_path / "persona.toml") == talkative


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('id = "x"', "'name' is missing"),
        ('id = "x"\nname = "  "', "'name' is missing"),
        ('id = "x"\nname = "X"\nage = 8', "'age' must be one of"),
        ('id = "X Y"\nname = "X"', "persona id 'X Y'"),
        ("id = ", "cannot be read"),
        ('id = "x"\nname = 8', "'name' must be a string"),
        ('id = "x"\nname = "X"\nlanguages = "en"', "'languages' must be a list of strings"),
        ('id = "x"\nname = "X"\nlanguages = ["English"]', "'English' in 'languages' is no language code"),
        ('id = "x"\nname = "X"\nunreadable = "no"', "'unreadable' must be a table"),
        ('id = "x"\nname = "X"\n[unreadable]\npicture = ["What?"]', "'unreadable' must be a table"),
        ('id = "x"\nname = "X"\n[unreadable]\nphoto = [""]', "'unreadable.photo' must be a list of strings, none of"),
    ],
)
def test_a_card_that_does_not_fit_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "persona.toml").write_text(text)
    with pytest.raises(ModelError, match=message):
        read_persona(tmp_path / "persona.toml")

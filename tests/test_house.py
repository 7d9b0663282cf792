"""The rules of the house: which room may import which."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"bot", "model", "data_prep"}
HEAVY = {"pandas", "torch", "transformers", "peft", "accelerate", "pyarrow", "matplotlib"}
HEAVY |= {"jinja2", "sentence_transformers", "sklearn"}
MODEL_USERS = {"bot.stars", "bot.console"}


def modules(package: str) -> list[tuple[str, Path]]:
    """Dotted names and files of a package's modules."""
    files = sorted((ROOT / package).rglob("*.py"))
    return [(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), file) for file in files]


def imports(file: Path) -> set[str]:
    """Every module that a file imports, inside functions and for type checking too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def top_level(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def within(names: set[str], package: str) -> set[str]:
    return {name for name in names if name == package or name.startswith(f"{package}.")}


@pytest.mark.parametrize(("name", "file"), modules("data_prep"))
def test_data_prep_imports_nothing_of_ours(name: str, file: Path) -> None:
    assert top_level(imports(file)) & OURS <= {"data_prep"}, name


@pytest.mark.parametrize(("name", "file"), modules("model"))
def test_model_imports_of_ours_only_the_schema(name: str, file: Path) -> None:
    found = imports(file)
    assert not within(found, "bot"), name
    assert all(name.startswith("data_prep.schema") for name in within(found, "data_prep")), name


@pytest.mark.parametrize(("name", "file"), modules("bot"))
def test_bot_imports_no_training_and_reaches_the_model_only_where_it_is_built(name: str, file: Path) -> None:
    found = imports(file)
    assert not top_level(found) & (HEAVY | {"data_prep"}), name
    assert not within(found, "model") or name in MODEL_USERS, name


SERVICES = [
    "casting",
    "chat_service",
    "chat_settings",
    "languages",
    "personas",
    "recent",
    "reply_queue",
    "second_thoughts",
    "stopping",
    "training/records",
    "training/retraining",
    "training/succession",
    "troupe",
    "voices",
]


@pytest.mark.parametrize("module", SERVICES)
def test_the_service_knows_neither_telegram_nor_the_database(module: str) -> None:
    found = imports(ROOT / "bot" / f"{module}.py")
    assert not top_level(found) & {"telegram", "sqlalchemy", "aiosqlite"}
    assert not within(found, "bot.handlers") | within(found, "bot.storage")


@pytest.mark.parametrize(("name", "file"), modules("bot/handlers"))
def test_handlers_reach_storage_only_through_the_service(name: str, file: Path) -> None:
    found = imports(file)
    assert not within(found, "bot.storage") | within(found, "sqlalchemy"), name


def test_the_offline_telegram_stands_by_itself() -> None:
    for name, file in modules("bot/offline"):
        ours = {found for found in imports(file) if top_level({found}) & OURS}
        assert all(found.startswith(("bot.offline", "bot.errors")) for found in ours), name


@pytest.mark.parametrize("command", ["bot", "model", "data_prep"])
def test_help_loads_nothing_heavy(command: str) -> None:
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['{command}', '--help']\n"
        f"try: runpy.run_module('{command}', run_name='__main__')\n"
        "except SystemExit as ended: assert not ended.code\n"
        f"print(sorted({HEAVY | {'openvino', 'sqlalchemy', 'telegram'}!r} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"

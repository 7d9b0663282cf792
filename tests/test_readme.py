"""What the README says is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_file_that_the_readme_and_the_docs_link_to_exists() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))]
    local = [(page, link) for page, link in links if "://" not in link]
    assert len(local) > 10
    assert [(page.name, link) for page, link in local if not (page.parent / link).exists()] == []


def test_every_promise_names_a_test_that_is_there() -> None:
    promises = re.findall(r"\| \[`(test_\w+)`\]\((tests/[\w/]+\.py)\)", README)
    assert len(promises) >= 10
    for name, file in promises:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[\[<>=]", requirement)[0] for group in groups for requirement in group}
    told = README[README.index("## Dependencies") :].lower()
    plugins = {f"pytest-{name}" for name in ("asyncio", "cov", "socket", "timeout", "xdist")}
    covered = {"types-tqdm", "pandas-stubs"} | plugins
    assert {name for name in names - covered if name.lower() not in told} == set()


def test_every_make_command_in_the_readme_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`|=\S+ |\| )make (?:-s )?([a-z-]+)", README, re.MULTILINE))
    assert {"run", "test", "chat", "check"} <= named
    assert named <= targets

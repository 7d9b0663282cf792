"""A Dockerfile and a .dockerignore as far as these tests must understand them."""

import fnmatch
import json
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """Names and arguments, continued lines joined."""
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, words.strip()) for name, _, words in (line.partition(" ") for line in lines)]


def arguments(name: str) -> list[str]:
    """The arguments of every instruction of this name."""
    return [words for instruction, words in instructions() if instruction == name]


def command() -> list[str]:
    """What a container runs."""
    (words,) = arguments("CMD")
    return list(json.loads(words))


def health_command() -> list[str]:
    """What tells whether a container is well."""
    (words,) = arguments("HEALTHCHECK")
    return list(json.loads(words.partition("CMD ")[2]))


def copies() -> list[tuple[str, str]]:
    """What is copied: source and target folder or file, both relative."""
    found = []
    for words in arguments("COPY"):
        *sources, target = words.split()
        found += [(source, target) for source in sources]
    return found


def is_ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out of the image: the last rule that fits decides, also for what is below."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    parents = [path, *map(str, Path(path).parents)]
    ignored = False
    for rule in rules:
        pattern = re.compile(fnmatch.translate(rule.removeprefix("!").removeprefix("**/")))
        names = [Path(each).name for each in parents] if "**/" in rule else parents
        if any(pattern.match(each) for each in names if each != "."):
            ignored = not rule.startswith("!")
    return ignored


def build_into(folder: Path) -> None:
    """Put into a folder what an image has in /app."""
    for source, target in copies():
        place = folder / target
        for file in _files(ROOT / source):
            inner = file.relative_to(ROOT / source) if file != ROOT / source else Path(file.name)
            (place / inner).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place / inner)


def _files(source: Path) -> list[Path]:
    files = [source] if source.is_file() else [path for path in source.rglob("*") if path.is_file()]
    return [file for file in files if not is_ignored(file.relative_to(ROOT).as_posix())]

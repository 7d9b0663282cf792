"""Where the examples of a retraining come from: a script, what the live version learned from, or the demo script."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from model.errors import ModelError
from model.examples import hash_examples
from model.persona import FILE_NAME, SHIPPED
from model.store import Version

DEMO = SHIPPED.parents[1] / "data_prep" / "demo"


@dataclass(frozen=True, slots=True)
class Script:
    """A script file, whose answers are wanted, and the columns of another show, as data_prep takes them."""

    file: Path
    character: str
    columns: str | None = None

    def prepare(self, out: Path) -> None:
        """Have data_prep write the examples folder, in a process of its own. ModelError with its one line.

        This package does not import that one: what needs pandas is gone from memory before training begins.
        """
        command = [sys.executable, "-m", "data_prep", str(self.file.resolve())]
        command += ["--character", self.character, "--out", str(out), "--json"]
        command += ["--columns", self.columns] if self.columns else []
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if result.returncode:
            said = result.stderr.strip().splitlines() or [f"data_prep ended with {result.returncode}"]
            raise ModelError(said[-1].removeprefix("error: "))


def learned_from(live: Version) -> Path | None:
    """The examples folder that a version was trained on, if it is still there and holds the same examples."""
    known = live.manifest.get("settings", {}).get("examples")
    expected = live.manifest.get("data", {}).get("examples_sha256")
    if not known or not expected:
        return None
    try:
        return Path(known).resolve() if hash_examples(Path(known)) == expected else None
    except ModelError:
        return None


def demo_script(live: Version, character: str) -> Script | None:
    """The script that a shipped persona was trained on, where that is the one that ships; None for anybody else."""
    persona = live.persona.id
    name = live.manifest.get("data", {}).get("source", {}).get("file")
    if not (SHIPPED / persona / FILE_NAME).is_file() or not name or os.sep in name:
        return None
    return Script(DEMO / name, character) if (DEMO / name).is_file() else None

"""The charts drawn by a process of its own, which loads what it needs while the script is still being read."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]


class Drawing:
    """Where matplotlib is loaded already, as in a notebook, no process is started and the charts are drawn here."""

    def __init__(self) -> None:
        if importlib.util.find_spec("matplotlib") is None:
            raise ModuleNotFoundError("no matplotlib", name="matplotlib")
        self._process: subprocess.Popen[bytes] | None = None
        self._drawn: dict[str, str] = {}
        if "matplotlib" not in sys.modules:
            path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
            self._process = subprocess.Popen(
                [sys.executable, "-m", "data_prep.charts"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": path},
                process_group=0,  # an interruption is for the process that stops it, and its copies with it
            )

    def __enter__(self) -> Drawing:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._stop(self._process)
            with self._process:  # closes the pipes and waits
                pass

    @contextmanager
    def begun(self, folder: Path, figures: Mapping[str, Any]) -> Iterator[None]:
        """Draws into `folder` while the block runs. It writes no more when that has failed."""
        if self._process is None:
            from data_prep.charts import draw_charts

            self._drawn = draw_charts(folder, figures)
            yield
            return
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({"folder": str(folder), "figures": figures}).encode())
            self._process.stdin.close()
            yield
        except BaseException:
            self._stop(self._process)
            raise

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """The process and the copies that it may have made of itself, which have its number as their group's."""
        if process.poll() is None:
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def charts(self) -> dict[str, str]:
        """The charts as SVG by name, when they are ready."""
        if self._process is not None:
            assert self._process.stdout is not None
            drawn = self._process.stdout.read()
            if self._process.wait():
                raise OSError("the charts could not be drawn")
            self._drawn = json.loads(drawn)
        return self._drawn

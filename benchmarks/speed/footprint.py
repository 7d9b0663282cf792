"""What an engine takes up: memory while it runs, and room on the disk when it is installed."""

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


def peak_memory(process: int | None = None) -> int:
    """Bytes that a process (its number; None: this one) and those that it has started have held at most.

    By the system's own high-water mark of each: their sum, if they did not reach it together, is more than ever was.
    """
    return sum(map(_peak, family(process)))


def processor_time(process: int) -> float:
    """Seconds that a process (its number) and those that it has started have worked, all threads added up."""
    return sum(sum(each.cpu_times()[:2]) for each in family(process))


def family(process: int | None = None) -> "list[psutil.Process]":
    """A process (its number; None: this one) and those that it has started."""
    import psutil

    first = psutil.Process(process)
    return [first, *first.children(recursive=True)]


def _peak(process: "psutil.Process") -> int:
    status = Path(f"/proc/{process.pid}/status")
    if status.is_file():  # getrusage's figure would begin with the parent's
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    memory = process.memory_info()
    return int(getattr(memory, "peak_wset", memory.rss))


def installed_size(names: tuple[str, ...]) -> int:
    """Bytes of all files of these distributions and of what they depend on."""
    return sum(map(_size, _with_dependencies(names).values()))


def _with_dependencies(names: tuple[str, ...]) -> dict[str, Distribution]:
    from packaging.requirements import Requirement

    found: dict[str, Distribution] = {}
    open_names = list(names)
    while open_names:
        name = open_names.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # needed elsewhere only, or optional
        wanted = map(Requirement, found[name].requires or ())
        open_names += [each.name for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def _size(package: Distribution) -> int:
    files = (Path(str(package.locate_file(file))) for file in package.files or ())
    return sum(file.stat().st_size for file in files if file.is_file())

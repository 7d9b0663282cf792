"""Memory that a mapped file takes."""

import mmap
from pathlib import Path

from model.engines.mapped_file import give_back

SIZE = 64 * mmap.PAGESIZE


def resident(file: Path) -> int:
    """Bytes of the file that stand in this process's memory."""
    areas = Path("/proc/self/smaps").read_text(encoding="utf-8").split(str(file))[1:]
    return sum(int(area.partition("Rss:")[2].split()[0]) * 1024 for area in areas)


def test_pages_that_were_given_back_are_read_anew(tmp_path: Path) -> None:
    file, other = tmp_path / "weights.bin", tmp_path / "weights.bin.2"
    for path in (file, other):
        path.write_bytes(bytes(range(256)) * (SIZE // 256))
    with file.open("rb") as first, other.open("rb") as second:
        mapped = mmap.mmap(first.fileno(), SIZE, access=mmap.ACCESS_READ)
        another = mmap.mmap(second.fileno(), SIZE, access=mmap.ACCESS_READ)
        assert sum(mapped[:]) == sum(another[:]) > 0
        assert resident(file) == 2 * SIZE  # the other's name begins alike
        give_back(file)
        assert resident(file) == SIZE
        assert mapped[:] == another[:]
        mapped.close()
        another.close()


def test_a_file_that_is_not_mapped_changes_nothing(tmp_path: Path) -> None:
    give_back(tmp_path / "nothing.bin")

"""Which runs of seven words stand in other scripts, told by hashes alone: what is compared need not be at hand.

    python tests/data_prep/fingerprints.py SCRIPT... --out FILE

A fingerprint file is the sorted 5-byte blake2b digests of the runs, one after another. Of runs that stand in none of
the scripts, one in 2**40 / n is taken for known, n being how many the file holds: one in 3.4 million at 318,776.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

RUN = 7  # words; shorter runs are anybody's
_BYTES = 5


def runs(text: str) -> Iterator[str]:
    """Every RUN words in a row, in lower case, without punctuation and apostrophes."""
    words = re.findall(r"[^\W_]+", re.sub("['’]", "", text.lower()))
    return (" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1))


def fingerprint(run: str) -> bytes:
    return hashlib.blake2b(run.encode(), digest_size=_BYTES).digest()


def spoken(script: Path) -> Iterator[str]:
    """The `spoken_words` of a 13-column file."""
    with script.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row["spoken_words"] or ""


def write_fingerprints(scripts: Iterable[Path], out: Path) -> int:
    """Writes the file and returns how many runs it holds."""
    known = {fingerprint(run) for script in scripts for text in spoken(script) for run in runs(text)}
    out.write_bytes(b"".join(sorted(known)))
    return len(known)


def read_fingerprints(path: Path) -> frozenset[bytes]:
    data = path.read_bytes()
    return frozenset(data[start : start + _BYTES] for start in range(0, len(data), _BYTES))


def known_runs(texts: Iterable[str], known: frozenset[bytes]) -> list[str]:
    """The runs of these texts whose fingerprints are known."""
    return [run for text in texts for run in runs(text) if fingerprint(run) in known]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Fingerprint every seven words in a row of some scripts.")
    parser.add_argument("scripts", type=Path, nargs="+", metavar="SCRIPT", help="13-column CSV files")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the fingerprints, 5 bytes a run")
    options = parser.parse_args(arguments)
    print(f"{write_fingerprints(options.scripts, options.out):,} runs in {options.out}")


if __name__ == "__main__":
    main()

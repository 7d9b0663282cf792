"""The weights file of a saved graph, laid out for how it is read: what each step reads first, the matrices last.

The library writes a matrix's scales behind the matrix. Of the mapped file a step reads the scales only, once the
matrices are packed; but beside each of these the system maps a whole stretch of matrix that nobody reads.
"""

import mmap
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

MATRIX = "i8"  # the element type of what is packed
ALIGNMENT = 64  # bytes: a line of the processor's cache


def put_matrices_last(graph: Path, weights: Path) -> None:
    """Move the matrices behind all other constants of a graph in OpenVINO's format: an XML file and one of weights."""
    tree = ElementTree.parse(graph)
    constants = [data for data in tree.iter("data") if "offset" in data.attrib]
    in_order = sorted({(data.get("element_type") == MATRIX, *_place(data)) for data in constants})
    places = [(offset, size) for _, offset, size in in_order]
    moved = dict(zip(places, _copy(weights, places), strict=True))
    for data in constants:
        data.set("offset", str(moved[_place(data)]))
    tree.write(graph, encoding="utf-8", xml_declaration=True)


def _place(data: "ElementTree.Element[Any]") -> tuple[int, int]:
    return int(data.attrib["offset"]), int(data.attrib["size"])


def _copy(file: Path, places: list[tuple[int, int]]) -> list[int]:
    """Write a file anew from these places of it (offset, size), aligned; their new offsets."""
    offsets, beside = [], file.with_suffix(".moved")
    with (
        file.open("rb") as source,
        mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as body,
        beside.open("wb") as target,
    ):
        for offset, size in places:
            target.write(bytes(-target.tell() % ALIGNMENT))
            offsets.append(target.tell())
            target.write(body[offset : offset + size])
    beside.replace(file)
    return offsets

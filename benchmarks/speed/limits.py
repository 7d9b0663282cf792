"""What the machine allows: how quickly it reads memory and multiplies matrices, and what a token asks of it.

One chat's decoding reads every weight once for each token, so memory is its limit; a prompt is read in products of
whole matrices, so the processor is (the roofline model, Williams et al. 2009).
"""

import math
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.results import Machine, Work
from benchmarks.speed.workloads import CONTEXT_TOKENS, NEW_TOKENS, QUESTION_TOKENS
from model.atomic import read_json
from model.weights import tensor_shapes

FAR_BEYOND_CACHES = 1 << 29  # bytes
SIDE = 2048  # of the matrices
TRIES = 7
TOLD_FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimddp", "i8mm")
TOLD_SOFTWARE = ("openvino-genai", "transformers", "torch", "ctranslate2", "xllamacpp", "numpy")


def measure_machine() -> Machine:
    """Describe this machine; takes some seconds, and wants it quiet."""
    import psutil

    cores = os.cpu_count() or 1
    name, features = _processor()
    return Machine(
        name, cores, features, psutil.virtual_memory().total, bandwidth(cores), matrix_rate(), dict(_software())
    )


def measure_again(machine: Machine) -> None:
    """Measure the limits once more and keep the higher ones: something may have disturbed the first time."""
    machine.bandwidth = max(machine.bandwidth, bandwidth(machine.cores))
    machine.matrix_rate = max(machine.matrix_rate, matrix_rate())


def bandwidth(threads: int) -> float:
    """Bytes a second that all cores together read at best."""
    parts = [np.ones(FAR_BEYOND_CACHES // threads // 4, np.float32) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        seconds = _best(lambda: list(pool.map(_read, parts)))
    return sum(part.nbytes for part in parts) / seconds


def _read(part: Any) -> float:
    return float(np.dot(part, part))  # BLAS reads once, adds up in vectors, and lets the other thread run


def matrix_rate() -> float:
    """Operations a second in the product of two float32 matrices (sgemm), on all cores."""
    left, right = np.ones((2, SIDE, SIDE), np.float32)
    return 2 * SIDE**3 / _best(lambda: left @ right)


def _best(task: Callable[[], object]) -> float:
    """The seconds of its quickest try: a limit is what is reached when nothing disturbs."""
    return min(_seconds(task) for _ in range(TRIES))


def _seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def work_of(base: Path, exported: Path) -> Work:
    """What a token asks of our engine, from the base's shapes and from the graph that the engine reads."""
    vocabulary = read_json(base / "config.json")["vocab_size"]
    matrices = [shape for shape in tensor_shapes(base) if len(shape) == 2]
    head = next(shape for shape in matrices if vocabulary in shape)
    tables = ("max_position_embeddings", "n_positions")
    looked_up = {vocabulary, *(read_json(base / "config.json").get(key) for key in tables)}
    inner = sum(math.prod(shape) for shape in matrices if not looked_up & set(shape))
    return Work(weight_bytes(exported), 2 * inner, 2 * math.prod(head))


def weight_bytes(exported: Path) -> int:
    """Bytes of weights that the graph reads for a token: all constants but tables of which it takes single rows."""
    import openvino

    from model.export import MODEL_FILE

    graph = openvino.Core().read_model(exported / MODEL_FILE)
    constants = [node for node in graph.get_ops() if node.get_type_name() == "Constant"]
    return sum(constant.get_byte_size() for constant in constants if not _only_looked_up(constant))


def _only_looked_up(constant: Any) -> bool:
    """Whether it ends in Gather's data input, and nowhere else."""
    readers = [reader for output in constant.outputs() for reader in output.get_target_inputs()]
    return all(reader.get_node().get_type_name() == "Gather" and reader.get_index() == 0 for reader in readers)


def decoding_limit(machine: Machine, work: Work) -> float:
    """Tokens a second of one chat if nothing but reading the weights took time."""
    return machine.bandwidth / work.bytes_read


def reading_limit(machine: Machine, work: Work) -> float:
    """Prompt tokens a second if nothing but the products took time."""
    return machine.matrix_rate / work.inner_operations


def answering_limit(machine: Machine, work: Work, chats: int) -> float:
    """Answers a second: every chat's own part of the prompt is read, then all are decoded together."""
    own = CONTEXT_TOKENS + QUESTION_TOKENS
    reading = chats * own / reading_limit(machine, work)
    operations = chats * (work.inner_operations + work.head_operations) / machine.matrix_rate
    step = max(operations, work.bytes_read / machine.bandwidth)
    return chats / (reading + NEW_TOKENS * step)


def _processor() -> tuple[str, list[str]]:
    """The processor's name and those of its instruction sets that matter here, where the system tells."""
    told = Path("/proc/cpuinfo")
    if not told.is_file():
        return platform.processor() or platform.machine(), []
    fields = dict(line.partition(":")[::2] for line in told.read_text().splitlines() if ":" in line)
    values = {key.strip(): value.strip() for key, value in fields.items()}
    flags = values.get("flags", values.get("Features", "")).split()
    return values.get("model name", platform.machine()), [flag for flag in TOLD_FEATURES if flag in flags]


def _software() -> list[tuple[str, str]]:
    found = [("Python", platform.python_version())]
    for name in TOLD_SOFTWARE:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found

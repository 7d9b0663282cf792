"""The page of a run: what was wanted and what was found, and all figures in tables."""

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.markdown import table
from benchmarks.speed import limits, targets
from benchmarks.speed.competitors import BFLOAT16, OURS
from benchmarks.speed.results import Contest, Dialogue, Figures, Machine, Quantization, Results
from benchmarks.speed.workloads import NEW_TOKENS, PROMPT_TOKENS, SHARED_TOKENS

HEAD = f"""# How quick is it?

`make bench` has written this page: {{extent}} on one machine:
{{machine}}.

All engines are given the same prompts, out of the demo script: {PROMPT_TOKENS} tokens, the first {SHARED_TOKENS} of
them shared by all chats as a persona card is. They write {NEW_TOKENS} tokens, sampled as the bot samples, whatever they
say. Each is in a process of its own, and they take turns; figures are medians. The ratios are ours by theirs: above 1
is in our favour. All have weights of the same shape, and nearly all the same weights: OpenVINO GenAI and llama.cpp read
Lisa's base from the GGUF file that it is shipped as (Q4_1, without her adapter). GPT-2 they read from our export and
at Q8_0. transformers, CTranslate2 and GenAI's own interface take all chats of a load as one batch, which ends for all
of them at once; transformers begins each prompt anew.{{left_out}}

![Answers a second](speed.png)
"""
OVERHEAD = """## What the bot adds

The engine is one part of the way from a message to its answer. `python -m benchmarks.overhead` measures the rest,
through python-telegram-bot and the offline Telegram over HTTP.
"""
RETRIEVAL = """## Is generating quicker than retrieving?

The retrieval bots look for the best of 130,000 lines, encoded beforehand; the second reads its best 50 again. Their
encoders are of MiniLM's shape with random weights. Tokenizing and fetching the line are not counted, in their favour.
"""


def page(results: Results) -> str:
    """The whole page as Markdown."""
    return "\n".join(_parts(results))


def _parts(results: Results) -> Iterator[str]:
    extent = "a short run, for a first look," if results.quick else "everything measured in one run"
    bf16 = any(BFLOAT16 in contest.figures for contest in results.contests.values())
    left_out = "" if bf16 else " bfloat16 was left out: this processor only imitates it."
    yield HEAD.format(extent=extent, machine=describe(results.machine), left_out=left_out)
    yield summary(results)
    for contest in results.contests.values():
        yield from _contest(contest, results.machine)
    if results.quantization:
        yield _quantization(results.quantization)
    yield OVERHEAD


def summary(results: Results) -> str:
    """What was wanted beside what was measured."""
    rows = [
        (target.what, target.wanted, target.measured, "yes" if target.met else "**no**")
        for target in targets.check(results)
    ]
    return _table("Wanted and measured", ("", "wanted", "measured", "reached"), rows)


def describe(machine: Machine) -> str:
    """The machine and what runs on it, in a line."""
    parts = [
        f"{machine.processor}, {machine.cores} cores",
        " ".join(machine.features) or "instruction sets unknown",
        f"{machine.memory / 2**30:.0f} GiB",
        f"memory read at {machine.bandwidth / 1e9:.1f} GB/s",
        f"float32 matrices multiplied at {machine.matrix_rate / 1e9:.0f} GFLOP/s",
        ", ".join(f"{name} {version}" for name, version in machine.software.items()),
    ]
    return "; ".join(parts)


def _contest(contest: Contest, machine: Machine) -> Iterator[str]:
    yield f"## {contest.title}\n"
    yield _loads(contest)
    yield _waits(contest)
    yield _alone(contest)
    yield _limits(contest, machine)
    if contest.dialogue.known:
        yield _dialogue(contest.dialogue)
    if any(figures.retrieves for figures in contest.figures.values()):
        yield _retrieval(contest)


def _loads(contest: Contest) -> str:
    heads = ["", *(head for chats in contest.loads for head in (targets.loaded_with(chats), "ratio"))]
    rows = [[figures.title, *_load_cells(contest, key, figures)] for key, figures in contest.figures.items()]
    return _table("Answers a second", heads, rows, level=3)


def _load_cells(contest: Contest, key: str, figures: Figures) -> Iterator[str]:
    for chats in contest.loads:
        yield f"{figures.answers_per_second(chats):.2f}"
        yield f"{targets.ratio(contest, key, chats):.2f}" if OURS in contest.figures and key != OURS else ""


def _waits(contest: Contest) -> str:
    heads = ["", *(f"{targets.loaded_with(chats)}, p{percent}" for chats in contest.loads for percent in (50, 95))]
    rows = [
        [figures.title, *(f"{figures.wait(chats, percent):.2f}" for chats in contest.loads for percent in (50, 95))]
        for figures in contest.figures.values()
    ]
    return _table("Seconds until a chat has its whole answer", heads, rows, level=3)


def _alone(contest: Contest) -> str:
    heads = ["", "first token, no context", "with three lines", "tokens/s", "prompt tokens/s"]
    heads += ["cold start", "peak memory", "installed", "idle"]
    return _table("One chat, and what an engine takes up", heads, [*map(_alone_row, contest.figures.values())], level=3)


def _alone_row(figures: Figures) -> list[str]:
    writes = not figures.retrieves
    return [
        figures.title,
        f"{1000 * median(figures.first_empty):.0f} ms" if writes else "",
        f"{1000 * median(figures.first_context):.0f} ms",
        f"{median(figures.decoding):.0f}" if writes else "",
        f"{median(figures.reading):.0f}" if writes else "",
        f"{median(figures.cold_starts):.1f} s",
        f"{figures.peak_memory / 1e6:.0f} MB",
        f"{figures.installed / 1e6:.0f} MB",
        f"{figures.idle:.0%}",
    ]


def _limits(contest: Contest, machine: Machine) -> str:
    ours = contest.figures.get(OURS)
    if ours is None:
        return ""
    reached = [
        ("decoding, one chat, tokens/s", median(ours.decoding), limits.decoding_limit(machine, contest.work)),
        ("reading a prompt, tokens/s", median(ours.reading), limits.reading_limit(machine, contest.work)),
    ]
    for chats in contest.loads:
        allowed = limits.answering_limit(machine, contest.work, chats)
        reached.append((f"answers/s, {targets.loaded_with(chats)}", ours.answers_per_second(chats), allowed))
    rows = [[what, f"{value:.1f}", f"{limit:.1f}", f"{value / limit:.0%}"] for what, value, limit in reached]
    intro = (
        f"A token of ours reads {contest.work.bytes_read / 1e6:.1f} MB of weights; the shares are of what the "
        "machine's memory and its float32 products would allow if nothing else took time. Products of eight bits may "
        "pass the latter; decoding beyond its limit says that something disturbed the machine while it was measured."
    )
    return _table("How near to the limit we are", ("", "ours", "limit", "share"), rows, level=3, intro=intro)


def _dialogue(dialogue: Dialogue) -> str:
    rows = [
        [
            f"turn {turn}",
            f"{1000 * dialogue.first(dialogue.strange, turn):.0f} ms",
            f"{1000 * dialogue.first(dialogue.known, turn):.0f} ms",
            f"{dialogue.gain(turn):.1f}",
        ]
        for turn in range(1, len(dialogue.known[0]) + 1)
    ]
    intro = (
        "The past answers are lines of the script, so that of them nothing is known beforehand but what was asked "
        "before; without reuse the texts are others of the same length."
    )
    return _table("First token of a dialogue's turns", ("", "nothing reused", "as it is", "gain"), rows, 3, intro)


def _retrieval(contest: Contest) -> str:
    lines = [RETRIEVAL]
    for key, figures in contest.figures.items():
        if figures.retrieves and OURS in contest.figures:
            told = ", ".join(f"{targets.ratio(contest, key, chats):.2f} x" for chats in contest.loads)
            loads = ", ".join(map(str, contest.loads))
            quicker = sum(targets.ratio(contest, key, chats) > 1 for chats in contest.loads)
            verdict = (
                "at every load" if quicker == len(contest.loads) else f"at {quicker} of {len(contest.loads)} loads"
            )
            lines.append(f"- Against {figures.title}: {told} with {loads} chats; generating is quicker {verdict}.")
    return "\n".join(lines) + "\n"


def _quantization(found: Quantization) -> str:
    return (
        f"## What quantization costs\n\nPerplexity of {found.answers} answers ({found.tokens} tokens) of the demo "
        f"script's test episodes: {found.float32:.3f} in float32, {found.exported:.3f} as exported "
        f"({found.cost:+.2%}).\n"
    )


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], level: int = 2, intro: str = "") -> str:
    return "\n".join([f"{'#' * level} {title}", "", *([intro, ""] if intro else []), table(heads, rows), ""])

"""What a script and an examples folder look like: names and small records. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

SCRIPT_COLUMNS = (
    "id",
    "episode_id",
    "number",
    "raw_text",
    "timestamp_in_ms",
    "speaking_line",
    "character_id",
    "location_id",
    "raw_character_text",
    "raw_location_text",
    "spoken_words",
    "normalized_text",
    "word_count",
)

# Another show's columns, by the names that the command line maps them with.
MAPPED_COLUMNS = ("speaker", "text", "episode", "scene", "location")
REQUIRED_COLUMNS = ("speaker", "text")

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

QA_PAIRS = "qa_pairs.parquet"
TARGET_PAIRS = "target_char_qa_pairs.parquet"
TARGET_ANSWERS = "target_char_answers.parquet"
REJECTED = "rejected.csv"
MANIFEST = "manifest.json"
REPORT = "report.html"
CHARTS = "charts"
OUTPUTS = frozenset({QA_PAIRS, TARGET_PAIRS, TARGET_ANSWERS, REJECTED, MANIFEST, REPORT, CHARTS})

PAIR_COLUMNS = (
    "line_id",
    "episode_id",
    "scene_id",
    "location",
    "speaker",
    "direction",
    "context",
    "context_speakers",
    "answer",
    "is_target",
    "split",
)
ANSWER_COLUMNS = ("line_id", "episode_id", "location", "answer", "split")

FORMAT = 1  # of the examples folder, as the manifest states it


class ScriptError(Exception):
    """Something a person can mend; the message is one line that names the file, column or character."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not kept. `line` counts the file's lines from 1, the header included."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """How much of the show one split holds."""

    episodes: int
    qa_pairs: int
    target_pairs: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened to the rows. `rows_read` = `rows_kept` + `rows_rejected`, always."""

    rows_read: int
    rows_kept: int
    rows_rejected: int
    rows_repaired: int
    blank_lines: int
    spoken_lines: int
    silent_lines: int
    headings: int
    joint_lines: int
    scenes: int
    episodes: int
    characters: int
    qa_pairs: int
    target_pairs: int
    splits: dict[str, SplitCounts]

    def __post_init__(self) -> None:
        assert self.rows_read == self.rows_kept + self.rows_rejected, "a row was lost"

"""The language model: bases, prompt, training, evaluation, export and engines. Knows nothing of Telegram."""

import sys

# Importing OpenVINO would report itself to an analytics server. Without this module it falls back to a stub of its own.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

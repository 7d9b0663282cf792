"""The Telegram side: everything that talks to people. Knows nothing of how the model works."""

__version__ = "0.1.0"

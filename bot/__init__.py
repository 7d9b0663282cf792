"""The Telegram side: everything that talks to people. Knows nothing of how the model works."""

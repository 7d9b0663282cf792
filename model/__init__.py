"""The language model: bases, prompt, training, evaluation, export and engines. Knows nothing of Telegram."""

"""Between Telegram and the service: how updates come in, whom they mean, and how answers go out."""

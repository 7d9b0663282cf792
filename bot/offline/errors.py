"""What the Bot API answers when it refuses a call."""

from typing import Any


class ApiError(Exception):
    """A refused call: an HTTP status, Telegram's description, and its machine-readable `parameters` (may be empty)."""

    def __init__(self, code: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters or {}

    def as_json(self) -> dict[str, Any]:
        """The body that Telegram sends with such a refusal."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


class BadRequestError(ApiError):
    """A call that cannot be carried out as it was asked for (400)."""

    def __init__(self, description: str) -> None:
        super().__init__(400, f"Bad Request: {description}")

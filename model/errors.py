"""The one error of this package, and how a library's error becomes part of its one line."""


class ModelError(Exception):
    """Something a person can mend; the message is one line that names the file, row, key or command."""


def first_line(error: Exception) -> str:
    """The first line of a library's message, or the error's name where it has none."""
    return _lines(error)[0]


def last_line(error: Exception) -> str:
    """The same of the last line, where the library puts the reason below a trace of its own."""
    return _lines(error)[-1]


def _lines(error: Exception) -> list[str]:
    return str(error).strip().splitlines() or [type(error).__name__]

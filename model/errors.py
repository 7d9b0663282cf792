"""The one error of this package."""


class ModelError(Exception):
    """Something a person can mend; the message is one line that names the file, row, key or command."""

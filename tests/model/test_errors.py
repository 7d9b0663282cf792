"""How a library's error becomes part of one line."""

import pytest

from model.errors import first_line, last_line


@pytest.mark.parametrize(
    ("error", "first", "last"),
    [
        (ValueError("one\ntwo\n"), "one", "two"),
        (ValueError("  one  "), "one", "one"),
        (ValueError(), "ValueError", "ValueError"),
        (RuntimeError("\n"), "RuntimeError", "RuntimeError"),
    ],
)
def test_an_error_without_words_is_called_by_its_name(error: Exception, first: str, last: str) -> None:
    assert (first_line(error), last_line(error)) == (first, last)

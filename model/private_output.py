"""Standard output for the program alone, where it answers another program and libraries print."""

import os
from typing import TextIO


def private_output() -> TextIO:
    """What was standard output, as text; whatever else is printed from now on goes to standard error."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return output

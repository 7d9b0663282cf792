"""Every Python process that has this folder in its PYTHONPATH writes down each address that it looks up or connects to.

Python imports this module by itself at its start, in a program's child processes as well. The record is the file named
by WITNESS. It has a line for each process, `start` and its command, and for each event: its name, the host, the port.
What native code does by itself is not seen; what Python code and its libraries do through the socket module is.
"""

import os
import sys
from typing import Any

EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")


def watch(record: str) -> None:
    """Write every such event of this process to a file, from now on."""
    # Unbuffered and opened once: the process may be killed, and opening files would raise events of their own.
    file = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(file, f"start {' '.join(sys.orig_argv)}\n".encode())

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and (address := _address(event, arguments)):
            os.write(file, f"{event} {address}\n".encode())

    sys.addaudithook(note)


def _address(event: str, arguments: tuple[Any, ...]) -> str:
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host, port = (*arguments, "")[:2]
    else:
        target = arguments[1]
        if not isinstance(target, tuple):  # A Unix socket, or a socket that is connected already.
            return ""
        host, port = target[:2]
    return f"{host.decode() if isinstance(host, bytes) else host} {port}"


watch(os.environ["WITNESS"])

"""The tests' own rule: no connection but to this machine."""

import socket

import pytest
from pytest_socket import SocketConnectBlockedError


@pytest.mark.filterwarnings("ignore:A test tried to use")  # the ban reports what it forbids
@pytest.mark.parametrize("address", ["192.0.2.1", "8.8.8.8"])
def test_a_connection_to_anywhere_else_fails_the_test_that_makes_it(address: str) -> None:
    with socket.socket() as connection, pytest.raises(SocketConnectBlockedError):
        connection.connect((address, 443))


def test_a_connection_to_this_machine_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as connection:
        connection.connect(server.getsockname())

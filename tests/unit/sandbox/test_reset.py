"""A call is left without an answer, also when its caller was faster."""

import socket
from typing import Any

import pytest

from services.sandbox.app import TRANSPORT, Reset


class Socket:
    """A connection's socket, of which nothing is left once it is closed."""

    def __init__(self, *, closed: bool) -> None:
        self.closed = closed
        self.options: list[int] = []

    def setsockopt(self, _level: int, option: int, _value: bytes) -> None:
        if self.closed:
            raise ValueError("negative file descriptor")
        self.options.append(option)


class Transport:
    """A connection."""

    def __init__(self, *, closed: bool) -> None:
        self.socket = Socket(closed=closed)
        self.aborted = False

    def get_extra_info(self, _name: str) -> Socket:
        return self.socket

    def is_closing(self) -> bool:
        return self.socket.closed

    def abort(self) -> None:
        self.aborted = True


async def hung_up() -> dict[str, str]:
    return {"type": "http.disconnect"}


async def nobody(_message: Any) -> None:
    pytest.fail("a reset answers nothing")


@pytest.mark.parametrize("closed", [False, True])
async def test_a_connection_is_cut_hard_and_one_that_its_caller_closed_is_left_in_peace(*, closed: bool) -> None:
    transport = Transport(closed=closed)
    await Reset()({"type": "http", TRANSPORT: transport}, hung_up, nobody)
    assert transport.aborted
    assert transport.socket.options == ([] if closed else [socket.SO_LINGER])

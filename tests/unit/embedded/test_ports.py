import socket
from pathlib import Path

from shared.embedded.ports import LOOPBACK, is_free, remembered_ports


def test_a_port_is_the_same_at_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = remembered_ports(file, ["a", "b"])
    assert remembered_ports(file, ["a", "b"]) == first
    assert first["a"] != first["b"]


def test_a_taken_port_is_chosen_again_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = remembered_ports(file, ["a", "b"])
    with socket.create_server((LOOPBACK, first["a"])):
        assert not is_free(first["a"])
        second = remembered_ports(file, ["a", "b"])
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]
    assert remembered_ports(file, ["a", "b"]) == second


def test_a_spoilt_memory_means_new_ports_not_a_refusal(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text("[half a")
    assert remembered_ports(file, ["a"]).keys() == {"a"}


def test_ports_lie_below_those_of_outgoing_connections(tmp_path: Path) -> None:
    ports = remembered_ports(tmp_path / "ports.json", [str(number) for number in range(20)])
    assert all(20_000 <= port < 32_768 for port in ports.values())

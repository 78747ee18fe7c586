"""Ports that stay the same: chosen once, remembered in the data directory, chosen again only if taken."""

import json
import logging
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_LOWEST: Final = 20_000
_HIGHEST: Final = 32_000
"""Below what Linux (32768) and macOS (49152) hand out to outgoing connections, which could take ours meanwhile."""

_log = logging.getLogger(__name__)


def is_free(port: int) -> bool:
    """Return whether a server could listen on a loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def remembered_ports(file: Path, names: Sequence[str]) -> dict[str, int]:
    """Return a free port for each name: the remembered one where it is free, else a new one, remembered from now on."""
    before = _read(file)
    ports: dict[str, int] = {}
    for name in names:
        port = before.get(name)
        if port is None or port in ports.values() or not is_free(port):
            port = _choose(taken={*before.values(), *ports.values()})
        ports[name] = port
    if ports != before:
        write_durably(file, json.dumps(ports, indent=1))
    return ports


def _read(file: Path) -> dict[str, int]:
    if not file.exists():
        return {}
    try:
        return {str(name): int(port) for name, port in json.loads(file.read_text()).items()}
    except (ValueError, AttributeError, TypeError):
        _log.warning("%s cannot be read; choosing new ports", file)
        return {}


def _choose(*, taken: set[int]) -> int:
    while True:
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if port not in taken and is_free(port):
            return port


def write_durably(file: Path, text: str) -> None:
    """Replace a small file whole: a crash leaves the old one or the new one. Readable by its owner alone."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)

"""How the embedded PostgreSQL is set: small, safe, silent about whom it serves."""

from pathlib import Path
from typing import Final

from shared.embedded.ports import LOOPBACK

SUPERUSER: Final = "keepwell"
DATABASE: Final = "keepwell"
MAJOR: Final = "18"

LOG_FOLDER: Final = "log"
"""Beside the cluster; one file a weekday, begun anew a week later."""

INITDB: Final = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",  # sorts the same on every machine: an index survives a move
)


def settings(port: int, logs: Path) -> dict[str, str]:
    """Return the settings to start with; the rest, fsync and full-page writes among it, stays as PostgreSQL has it."""
    return {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",  # a socket's path has 108 bytes, a data directory may have more
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        # Small: one machine, a handful of services.
        "max_connections": "100",
        "shared_buffers": "32MB",
        "maintenance_work_mem": "32MB",
        "max_wal_size": "256MB",
        "min_wal_size": "64MB",
        "max_parallel_workers_per_gather": "0",
        "autovacuum_max_workers": "2",
        "io_method": "sync",  # three worker processes fewer
        "jit": "off",
        # Bounded, and without a statement, a value or a key in it: they are health data.
        "logging_collector": "on",
        "log_directory": str(logs),
        "log_filename": "postgres-%a.log",
        "log_file_mode": "0600",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_timezone": "UTC",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length_on_error": "0",
        "log_checkpoints": "off",
    }


def command(program: Path, cluster: Path, values: dict[str, str]) -> tuple[str, ...]:
    """Return the command line; the cluster's path is an argument of its own, by which a left-over server is known."""
    return (str(program), "-D", str(cluster), *(f"--{name}={value}" for name, value in values.items()))

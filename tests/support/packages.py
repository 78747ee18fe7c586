"""Debian's packages, unpacked and not installed: that needs no rights, and starts no service on the machine."""

import os
import subprocess
import tempfile
from pathlib import Path


def unpack(folder: Path, *packages: str) -> None:
    """Fetch Debian's packages, whose signatures apt checks, and unpack them into a folder."""
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # Without the rights to update them, the machine's lists of packages may still do.
    subprocess.run([*prefix, "apt-get", "update", "-qq"], check=False, **quiet)  # type: ignore[call-overload]
    with tempfile.TemporaryDirectory() as place:
        got = subprocess.run(["apt-get", "download", "-qq", *packages], check=False, cwd=place, **quiet)  # type: ignore[call-overload]  # noqa: S607 - apt-get is where the machine has it
        for package in Path(place).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True)  # noqa: S607 - the same
        if got.returncode:
            print(f"Debian's {', '.join(packages)} could not be fetched", flush=True)

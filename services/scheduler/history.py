"""The scheduler's migrations."""

from pathlib import Path
from typing import Final

from shared.database.history import History, metadata_in

HISTORY: Final = History("scheduler", Path(__file__).parent / "migrations", metadata_in("services.scheduler.tables"))

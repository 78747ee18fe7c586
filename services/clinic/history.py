"""The clinic service's migrations."""

from pathlib import Path
from typing import Final

from shared.database.history import History, metadata_in

HISTORY: Final = History("clinic", Path(__file__).parent / "migrations", metadata_in("services.clinic.tables"))

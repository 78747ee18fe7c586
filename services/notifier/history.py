"""The notifier's migrations."""

from pathlib import Path
from typing import Final

from shared.database.history import History, metadata_in

HISTORY: Final = History("notifier", Path(__file__).parent / "migrations", metadata_in("services.notifier.tables"))

"""The errors that a person can mend; anything else is a fault of ours and shows its traceback."""

from typing import Final

from keepwell.backups.errors import BackupError
from keepwell.data_directory import NotRunningError
from keepwell.listen import PortTakenError
from shared.bus.address import KafkaAccessError
from shared.database.address import DatabaseAddressError, DatabaseRefusedError, PoolerError
from shared.database.history import UpgradeError
from shared.embedded.errors import EmbeddedError
from shared.protection import KeyringError
from shared.settings import SettingsError
from shared.web.problems import Problem

EXPECTED: Final[tuple[type[Exception], ...]] = (
    SettingsError,
    KafkaAccessError,
    DatabaseAddressError,
    DatabaseRefusedError,
    PoolerError,
    NotRunningError,
    PortTakenError,
    EmbeddedError,
    KeyringError,
    UpgradeError,
    BackupError,
    Problem,
)

"""The errors that a person can mend; anything else is a fault of ours and shows its traceback."""

from typing import Final

from aiokafka.errors import KafkaConnectionError

from keepwell.backups.errors import BackupError
from keepwell.host.data_directory import NotRunningError
from keepwell.host.listen import PortTakenError
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


def in_words(error: Exception) -> str | None:
    """Return an error that a person can mend in one line with its remedy; None where it is a fault of ours."""
    match error:
        case KafkaConnectionError():
            return (
                f"Kafka does not answer: {error}. See that it runs, and that KEEPWELL_KAFKA_BOOTSTRAP_SERVERS names "
                "it; `keepwell doctor` tries it."
            )
        case ConnectionRefusedError():
            return (
                f"PostgreSQL does not answer: {error}. See that it runs, and that KEEPWELL_DATABASE_URL names it; "
                "`keepwell doctor` tries it."
            )
    return str(error) if isinstance(error, EXPECTED) else None

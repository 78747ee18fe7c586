"""What older versions of the notifier kept in clear, and how it is sealed."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text

from services.notifier.store.people import CLINIC
from services.notifier.tables import CONSENTS, HELD_IN_CLEAR
from shared.events.clinic import CONSENT
from shared.protection import Keyring
from shared.sealing import InClear


def _consent(held: Mapping[str, Any], keyring: Keyring) -> Mapping[str, object]:
    return {"how": CLINIC, "words": keyring.seal(held["how"], context=CONSENT)}


IN_CLEAR: Final = (InClear(CONSENTS, text(HELD_IN_CLEAR), _consent),)

"""What older versions of the clinic service kept in clear, and how it is sealed."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text

from services.clinic.tables import CONTACTS
from shared.events.clinic import CONSENT
from shared.protection import Keyring
from shared.sealing import InClear


def _contact(held: Mapping[str, Any], keyring: Keyring) -> Mapping[str, object]:
    """Return a contact point's consents with how each was given sealed."""
    return {"consents": [_sealed(one, keyring) for one in held["consents"]]}


def _sealed(written: Mapping[str, Any], keyring: Keyring) -> dict[str, Any]:
    if not written["how"]:
        return dict(written)
    words = written.get("words") or keyring.seal(written["how"], context=CONSENT)
    return {**written, "how": "", "words": words}


IN_CLEAR: Final = (InClear(CONTACTS, text("""consents @? '$[*] ? (@.how != "")'"""), _contact),)

"""Which texts from patients a person must read: those that did not already do all that they ask for."""

from typing import Final

from services.clinic.model.reads import SessionState

SETTLED: Final = "keepwell"
"""Who has read a reply that asks for nobody."""
_PLAIN: Final = frozenset({"confirm", "stop", "start", "help"})
_MOST_WORDS: Final = 4
"""Words of a plain answer, such as "ok confirmed thank you"; a longer text may say more than its intent."""
_GONE: Final = frozenset({SessionState.CANCELLED, SessionState.MISSED})


def needs_a_person(intent: str, text: str) -> bool:
    """Tell whether a text says, or may say, more than one of the plain answers that Keepwell acts on by itself."""
    return intent not in _PLAIN or len(text.split()) > _MOST_WORDS


def yes_is_void(state: SessionState, version: int, *, told: int | None) -> bool:
    """Tell whether a yes confirmed nothing: the session is gone, or was moved after the text that was answered.

    Args:
        state: of the session, as the clinic knows it.
        version: of the session, as the clinic knows it.
        told: the version that the patient was told of.
    """
    return state in _GONE or (state is SessionState.BOOKED and told is not None and version > told)

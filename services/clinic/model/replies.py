"""Which texts from patients a person must read, and which of them first."""

from collections.abc import Sequence
from typing import Final

from services.clinic.model.reads import SessionState

SETTLED: Final = "keepwell"
"""Who has read a reply that asks for nobody."""
_PLAIN: Final = frozenset({"confirm", "stop", "start", "help"})
_MOST_WORDS: Final = 4
"""Words of a plain answer, such as "ok confirmed thank you"; a longer text may say more than its intent."""
_GONE: Final = frozenset({SessionState.CANCELLED, SessionState.MISSED})
_HARMLESS_FLAGS: Final = frozenset({"automatic"})

_DANGER, _TODAY, _READ, _KNOWN = 3, 2, 1, 0
_GRAVE: Final = {"crisis": _DANGER, "decline": _TODAY, "wrong-number": _TODAY, "doubt": _TODAY, "other": _READ}
_GRAVE_FLAGS: Final = {
    "crisis": _DANGER,
    **dict.fromkeys(("may-mean-visit", "dislike", "running-late", "unanswered"), _TODAY),
    **dict.fromkeys(("picture", "question"), _READ),
}


def needs_a_person(intent: str, text: str, flags: Sequence[str] = ()) -> bool:
    """Tell whether a text says, or may say, more than one of the plain answers that Keepwell acts on by itself.

    A reaction to one of our texts asks for nobody, unless it is one of dislike.
    """
    if set(flags) - _HARMLESS_FLAGS:
        return True
    if intent == "reaction":
        return False
    return intent not in _PLAIN or len(text.split()) > _MOST_WORDS


def gravity(intent: str, flags: Sequence[str] = ()) -> int:
    """Return how soon a text must be read: 3 for danger, 2 for what changes the day, 1 for the rest, 0 for none."""
    return max([_GRAVE.get(intent, _KNOWN), *(_GRAVE_FLAGS.get(flag, _KNOWN) for flag in flags)])


def yes_is_void(state: SessionState | str, version: int, *, known_version: int | None) -> bool:
    """Tell whether a yes confirmed nothing: the session is gone, or was moved after the text that was answered.

    Args:
        state: of the session, as the clinic knows it.
        version: of the session, as the clinic knows it.
        known_version: the version that the patient was told of.
    """
    return state in _GONE or (state is SessionState.BOOKED and known_version is not None and version > known_version)

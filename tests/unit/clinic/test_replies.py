import pytest

from services.clinic.model.reads import SessionState
from services.clinic.model.replies import needs_a_person, yes_is_void


@pytest.mark.parametrize(
    ("intent", "text", "needed"),
    [
        ("confirm", "C", False),
        ("confirm", "Yes, but I may be late", True),
        ("confirm", "ok confirmed thank you", False),
        ("stop", "STOP", False),
        ("stop", "wrong number", False),
        ("stop", "stop texting me, I cannot bear it any more", True),
        ("help", "help", False),
        ("other", "ok", True),
    ],
)
def test_only_a_plain_answer_asks_for_nobody(intent: str, text: str, needed: bool) -> None:
    assert needs_a_person(intent, text) is needed


@pytest.mark.parametrize(
    ("state", "version", "void"),
    [
        (SessionState.BOOKED, 1, False),
        (SessionState.BOOKED, 2, True),
        (SessionState.CONFIRMED, 2, False),
        (SessionState.ATTENDED, 3, False),
        (SessionState.CANCELLED, 2, True),
    ],
)
def test_a_yes_to_a_session_that_is_gone_or_moved_confirms_nothing(
    state: SessionState,
    version: int,
    void: bool,
) -> None:
    assert yes_is_void(state, version, told=1) is void

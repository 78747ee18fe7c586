import pytest

from services.clinic.model.reads import SessionState
from services.clinic.model.replies import gravity, needs_a_person, yes_is_void


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
    ("intent", "flags", "needed"),
    [
        ("reaction", (), False),
        ("reaction", ("dislike",), True),
        ("stop", ("may-mean-visit",), True),
        ("confirm", ("picture",), True),
        ("other", ("automatic",), True),
        ("decline", (), True),
        ("wrong-number", (), True),
        ("doubt", ("asked",), True),
        ("a word of tomorrow", (), True),
    ],
)
def test_what_may_change_the_day_never_passes_unread(intent: str, flags: tuple[str, ...], needed: bool) -> None:
    assert needs_a_person(intent, "No", flags) is needed


def test_danger_is_read_before_a_visit_that_falls_away_and_that_before_small_talk() -> None:
    danger, decline, free, yes = gravity("other", ("crisis",)), gravity("decline"), gravity("other"), gravity("confirm")
    assert danger > decline > free > yes
    assert gravity("stop", ("may-mean-visit",)) == decline


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
    assert yes_is_void(state, version, known_version=1) is void

"""What staff read is no machine's language."""

import pytest

from services.clinic.views.plain_words import in_plain_words

ZONE = "America/New_York"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            "2026-11-20T10:00 has passed: it is now 2026-11-26T20:36Z. Give a time to come.",
            "Fri, Nov 20, 2026, 10:00 AM has passed: it is now Thu, Nov 26, 3:36 PM. Give a time to come.",
        ),
        ("'2026-11-20T10:00' is taken.", "Fri, Nov 20, 2026, 10:00 AM is taken."),
        ("It began at 2026-07-01T14:00:00+00:00.", "It began at Wed, Jul 1, 10:00 AM."),
        ("Input should be a valid integer", "Give a whole number, such as 60"),
        (
            "Input should be a valid integer, unable to parse string as an integer",
            "Give a whole number, such as 60",
        ),
        ("Input should be greater than or equal to 5", "Give 5 or more"),
        ("Input should be less than or equal to 600", "Give 600 or less"),
        ("Input should be 'approve', 'change' or 'refuse'", "Choose 'approve', 'change' or 'refuse'"),
        ("Field required", "This is missing"),
        ("String should have at most 500 characters", "Give at most 500 characters"),
        ("2026-13-45T10:00 is no time.", "2026-13-45T10:00 is no time."),
        ("The session is missed; it cannot be moved.", "The session is missed; it cannot be moved."),
    ],
)
def test_staff_never_read_machine_language(said: str, read: str) -> None:
    assert in_plain_words(said, ZONE) == read

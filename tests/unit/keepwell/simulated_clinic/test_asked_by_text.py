"""Whom the demonstration asks: made-up patients answer texts, and read no mail."""

from keepwell.simulated_clinic.cast import who_reads_texts
from keepwell.simulated_clinic.people import person

PEOPLE = [person(1, index) for index in range(200)]


def test_nobody_of_the_demonstration_seems_silent_for_a_mail_that_nobody_reads() -> None:
    by_mail = [who for who in PEOPLE if "checkins" in who.by_email and "checkins" not in who.by_text]
    assert len(by_mail) > 5
    for who in by_mail:
        asked = who_reads_texts(who)
        assert "checkins" in asked.by_text
        assert set(who.by_text) | {"checkins"} == set(asked.by_text)
        assert asked.by_email == who.by_email


def test_who_allows_no_check_ins_at_all_is_not_asked() -> None:
    others = [who for who in PEOPLE if "checkins" not in who.by_email]
    assert any("checkins" not in who.by_text for who in others)
    assert [who_reads_texts(who) for who in others] == others

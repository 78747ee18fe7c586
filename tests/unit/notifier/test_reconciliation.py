from datetime import UTC, datetime, timedelta

import pytest

from services.notifier.model.purposes import Channel, Purpose
from services.notifier.model.reconciliation import (
    AskPerson,
    AskProvider,
    Candidate,
    Free,
    Gap,
    Had,
    Sent,
    Why,
    detain,
    reconcile,
)
from services.notifier.wording import Content, compose, purposes_of

BACKUP = datetime(2026, 12, 1, 2, tzinfo=UTC)
RESTORE = datetime(2026, 12, 2, 9, tzinfo=UTC)
GAP = Gap(BACKUP, RESTORE)
REMINDER = Candidate(Purpose.REMINDER, Channel.SMS, BACKUP + timedelta(hours=8))


def sent(
    *purposes: Purpose, at: datetime | None = BACKUP + timedelta(hours=8), same: bool = False, sid: str = "SM1"
) -> Sent:
    return Sent(sid, "delivered", None, at, same, frozenset(purposes))


def test_the_first_text_of_the_same_words_is_the_message() -> None:
    first = sent(Purpose.REMINDER, same=True)
    assert reconcile(REMINDER, GAP, [first, sent(Purpose.REMINDER, same=True, sid="SM2")]) == Had(first)


def test_a_text_from_before_the_message_could_be_due_is_another_one() -> None:
    """The reminder of three days before says the same as that of one day before."""
    tomorrow = Candidate(Purpose.REMINDER, Channel.SMS, BACKUP + timedelta(hours=30))
    assert reconcile(tomorrow, GAP, [sent(Purpose.REMINDER, same=True)]) == Free()


def test_a_text_whose_date_is_not_known_may_be_the_message() -> None:
    undated = sent(Purpose.REMINDER, at=None, same=True)
    assert reconcile(REMINDER, GAP, [undated]) == Had(undated)


def test_what_was_sent_before_the_backup_is_nothing_new() -> None:
    old = sent(Purpose.REMINDER, at=BACKUP - timedelta(days=1), same=True)
    assert reconcile(Candidate(Purpose.REMINDER, Channel.SMS), GAP, [old]) == Free()


def test_other_words_for_the_same_purpose_are_a_persons_to_judge() -> None:
    assert reconcile(REMINDER, GAP, [sent(Purpose.REMINDER)]) == AskPerson(Why.OTHER_WORDS)


def test_words_that_are_not_ours_are_a_persons_to_judge() -> None:
    assert reconcile(REMINDER, GAP, [sent()]) == AskPerson(Why.UNKNOWN_WORDS)


def test_a_page_goes_out_whatever_else_went_to_that_number() -> None:
    page = Candidate(Purpose.PAGE, Channel.SMS)
    assert reconcile(page, Gap(BACKUP, RESTORE, changed=True, forgotten=True), [sent(), sent(Purpose.PAGE)]) == Free()


@pytest.mark.parametrize("purpose", [Purpose.REMINDER, Purpose.CHECKIN, Purpose.BOOKING])
def test_what_was_not_sent_may_be_untrue_where_the_record_changed(purpose: Purpose) -> None:
    message = Candidate(purpose, Channel.SMS)
    assert reconcile(message, Gap(BACKUP, RESTORE, changed=True), []) == AskPerson(Why.CHANGED)
    assert reconcile(message, Gap(BACKUP, RESTORE, forgotten=True), []) == AskPerson(Why.FORGOTTEN)


def test_an_email_of_the_lost_time_is_a_persons_to_judge_unless_it_pages() -> None:
    assert detain(Candidate(Purpose.REMINDER, Channel.EMAIL), GAP) == AskPerson(Why.MAIL)
    assert detain(Candidate(Purpose.PAGE, Channel.EMAIL), GAP) is None


def test_what_falls_due_only_after_the_restore_needs_nobodys_word() -> None:
    later = RESTORE + timedelta(seconds=1)
    assert detain(Candidate(Purpose.REMINDER, Channel.SMS, later), GAP) is None
    assert detain(Candidate(Purpose.REMINDER, Channel.EMAIL, later), GAP) is None
    assert detain(Candidate(Purpose.REMINDER, Channel.SMS, RESTORE), GAP) == AskProvider()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("purpose", "occurrence"),
    [(Purpose.REMINDER, "3d"), (Purpose.CHECKIN, "day-1"), (Purpose.BOOKING, "x"), (Purpose.PAGE, "page-1")],
)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("confirmed", [True, False])
def test_each_text_of_ours_is_known_by_its_purpose_alone(
    language: str, purpose: Purpose, occurrence: str, first: bool, confirmed: bool
) -> None:
    content = Content(
        language=language,
        sender="Clínica (Norte) .*",
        phone="+1 555 010 0100",
        url="https://care.example",
        link="https://care.example/c/abc",
        starts_at=datetime(2026, 12, 4, 10),  # noqa: DTZ001 - a wall time
        confirmed=confirmed,
        first=first,
    )
    assert purposes_of(compose(purpose, Channel.SMS, occurrence, content).body) == {purpose}


def test_words_that_no_template_says_have_no_purpose() -> None:
    assert purposes_of("Your parcel is here.") == frozenset()

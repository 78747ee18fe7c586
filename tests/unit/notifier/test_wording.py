from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from icalendar import Calendar

from services.notifier.calendar_entry import CalendarEntry, as_ical
from services.notifier.model.answering import Answer
from services.notifier.model.inbound import Intent, meaning_of
from services.notifier.model.purposes import NOTICES, Channel, Purpose
from services.notifier.model.segments import segments
from services.notifier.wording import Content, compose
from shared.walltime import parse_wall

LANGUAGES = ("en", "es")
NAMES_OTHERS = {Answer.CONFIRMED_LEFT, Answer.CONFIRMED_SEVERAL, Answer.WHICH}
REPLIES = sorted(set(Answer) - NAMES_OTHERS)
LONGEST_DAY = parse_wall("2026-09-23T22:30")  # Wednesday, September 23; miércoles, 23 de septiembre
LINK = "https://care.example.org/c/" + "x" * 43
FORBIDDEN = (
    *("ketamin", "spravato", "tms", "depress", "psychiat", "psiqui", "phq", "score", "drug", "dose", "therapy"),
    *("terapia", "infusion", "mental", "alert", "suicid", "medic", "treat", "trat", "diagn"),
)


def content(language: str, *, confirmed: bool = False, first: bool = False) -> Content:
    return Content(
        language=language,
        sender="Lakeside Clinic",
        phone="+1 555 010 0100",
        crisis={"en": "In a crisis call or text 988.", "es": "En crisis llame al 988."}[language],
        url="https://console.example.org",
        link=LINK,
        starts_at=LONGEST_DAY,
        confirmed=confirmed,
        first=first,
    )


def every_text(language: str) -> list[str]:
    said = [
        compose(purpose, Channel.SMS, "1d", content(language, confirmed=confirmed, first=first)).body
        for purpose, confirmed, first in product(Purpose, (False, True), (False, True))
        if purpose != Purpose.REPLY
    ]
    said += [compose(Purpose.REMINDER, Channel.SMS, kind, content(language)).body for kind in NOTICES]
    return said + [compose(Purpose.REPLY, Channel.SMS, kind, content(language)).body for kind in REPLIES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_one_segment(language: str) -> None:
    for text in every_text(language):
        assert segments(text) == 1, text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answer", sorted(NAMES_OTHERS))
def test_a_text_that_names_several_visits_names_each_and_stays_cheap(language: str, answer: Answer) -> None:
    others = (LONGEST_DAY, LONGEST_DAY + timedelta(days=7))
    text = compose(Purpose.REPLY, Channel.SMS, answer, replace(content(language), others=others)).body
    assert "September 30" in text or "30 de septiembre" in text
    assert answer != Answer.WHICH or ("1 " in text and "2 " in text)
    assert segments(text) <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_gives_the_care_away(language: str) -> None:
    emails = [
        compose(purpose, Channel.EMAIL, "1d", content(language)) for purpose in Purpose if purpose != Purpose.REPLY
    ]
    for text in [*every_text(language), *(mail.body + mail.subject for mail in emails)]:
        assert not [word for word in FORBIDDEN if word in text.casefold()], text


def test_a_reminder_says_who_when_and_what_to_reply() -> None:
    text = compose(Purpose.REMINDER, Channel.SMS, "3d", content("en")).body
    assert text == (
        "Lakeside Clinic: your visit is on Wednesday, September 23 at 10:30 PM. Reply C to confirm, STOP to end texts."
    )


def test_a_spanish_reminder_is_spanish() -> None:
    text = compose(Purpose.REMINDER, Channel.SMS, "3d", content("es")).body
    assert text.startswith("Lakeside Clinic: su cita es el miércoles, 23 de septiembre a las 10:30 p.m.")


def test_only_the_first_of_the_texts_that_need_no_answer_says_how_to_end_them() -> None:
    assert "STOP" in compose(Purpose.CHECKIN, Channel.SMS, "day-7", content("en", first=True)).body
    assert "STOP" not in compose(Purpose.CHECKIN, Channel.SMS, "day-7", content("en")).body


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_asked_to_confirm_with_a_word_that_ends_texts(language: str) -> None:
    text = compose(Purpose.REMINDER, Channel.SMS, "1d", content(language)).body
    assert {"en": "Reply C ", "es": "Responda C "}[language] in text
    assert meaning_of("C").intent == Intent.CONFIRM


@pytest.mark.parametrize(("language", "kind"), list(product(LANGUAGES, [*sorted(NOTICES), "1d"])))
def test_mail_about_a_session_says_the_day_in_subject_and_body(language: str, kind: str) -> None:
    mail = compose(Purpose.REMINDER, Channel.EMAIL, kind, content(language))
    assert "23" in mail.subject
    assert "23" in mail.body
    assert "+1 555 010 0100" in mail.body


def visit(*, version: int, cancelled: bool = False) -> CalendarEntry:
    starts = datetime(2026, 12, 1, 15, tzinfo=UTC)
    return CalendarEntry(
        UUID("018f0000-0000-7000-8000-000000000001"),
        version,
        starts,
        90,
        "CalendarEntry: Lakeside Clinic",
        "hello@example.org",
        "Lakeside Clinic",
        "pat@example.org",
        cancelled,
        starts - timedelta(days=1),
    )


def lines(entry: bytes) -> dict[str, str]:
    Calendar.from_ical(entry)  # raises where it is no calendar
    return dict(line.split(":", 1) for line in entry.decode().replace("\r\n ", "").splitlines() if ":" in line)


def test_a_moved_session_replaces_its_calendar_entry() -> None:
    one, two = (lines(as_ical(visit(version=version))) for version in (1, 2))
    assert one["UID"] == two["UID"] == "018f0000-0000-7000-8000-000000000001@keepwell"
    assert (one["SEQUENCE"], two["SEQUENCE"]) == ("1", "2")
    assert two["METHOD"] == "REQUEST"
    assert (two["DTSTART"], two["DTEND"]) == ("20261201T150000Z", "20261201T163000Z")
    assert two["SUMMARY"] == "CalendarEntry: Lakeside Clinic"


def test_a_cancelled_session_takes_its_entry_back() -> None:
    entry = lines(as_ical(visit(version=3, cancelled=True)))
    assert (entry["METHOD"], entry["STATUS"]) == ("CANCEL", "CANCELLED")

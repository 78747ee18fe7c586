"""Every text and e-mail that the notifier writes is read back as what it is."""

import pytest

from keepwell.simulated_clinic.reading import Reader, Said, when
from services.notifier.model.purposes import Channel, Purpose
from services.notifier.wording import Content, compose
from shared.languages import LANGUAGES
from shared.walltime import parse_wall as wall

READER = Reader.load()
STARTS_AT = wall("2026-12-05T10:00")
LINK = "http://127.0.0.1:8080/c/abcDEF123"


def content(language: str, *, confirmed: bool = False, first: bool = False) -> Content:
    return Content(
        language,
        "Riverside",
        "+1 202-555-0100",
        crisis="Call 988.",
        url="http://127.0.0.1:8080/console/today",
        link=LINK,
        starts_at=STARTS_AT,
        confirmed=confirmed,
        first=first,
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("confirmed", [False, True])
def test_a_reminder_names_its_day_and_time(language: str, *, first: bool, confirmed: bool) -> None:
    said = content(language, first=first, confirmed=confirmed)
    reading = READER.text(compose(Purpose.REMINDER, Channel.SMS, "3d", said).body)
    assert reading.said is Said.REMINDER
    assert (reading.day, reading.time) == when(language, STARTS_AT, by_mail=False)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("first", [False, True])
def test_a_question_gives_its_link(language: str, *, first: bool) -> None:
    reading = READER.text(compose(Purpose.CHECKIN, Channel.SMS, "day-1", content(language, first=first)).body)
    assert (reading.said, reading.link) == (Said.CHECKIN, LINK)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("purpose", "occurrence", "said"),
    [
        (Purpose.BOOKING, "2026-12-24", Said.BOOKING),
        (Purpose.PAGE, "page-1", Said.PAGE),
        (Purpose.REPLY, "confirmed", Said.REPLY),
        (Purpose.REPLY, "help", Said.REPLY),
        (Purpose.REPLY, "other", Said.REPLY),
        (Purpose.REPLY, "stopped", Said.STOPPED),
    ],
)
def test_every_other_text_is_known(language: str, purpose: Purpose, occurrence: str, said: Said) -> None:
    assert READER.text(compose(purpose, Channel.SMS, occurrence, content(language)).body).said is said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("purpose", "occurrence", "said"),
    [
        (Purpose.REMINDER, "1d", Said.REMINDER),
        (Purpose.REMINDER, "moved", Said.NOTICE),
        (Purpose.REMINDER, "cancelled", Said.NOTICE),
        (Purpose.CHECKIN, "day-7", Said.CHECKIN),
        (Purpose.BOOKING, "2026-12-24", Said.BOOKING),
        (Purpose.PAGE, "page-1", Said.PAGE),
    ],
)
def test_every_mail_is_known_also_where_its_lines_were_wrapped(
    language: str, purpose: Purpose, occurrence: str, said: Said
) -> None:
    body = compose(purpose, Channel.EMAIL, occurrence, content(language)).body
    assert READER.mail(body).said is said
    assert READER.mail(body.replace("\n", "\r\n")).said is said


def test_words_of_no_catalogue_are_not_read() -> None:
    assert READER.text("Hello, this is somebody else.").said is Said.UNREAD

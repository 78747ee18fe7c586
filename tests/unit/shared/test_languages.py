from datetime import date, time
from pathlib import Path

import pytest

from shared.languages import Texts, TextsError, say_day, say_time


def catalogue(folder: Path, en: str, es: str) -> Texts:
    (folder / "en.toml").write_text(en)
    (folder / "es.toml").write_text(es)
    return Texts.load(folder)


def test_a_text_is_said_in_the_language_asked_for(tmp_path: Path) -> None:
    texts = catalogue(tmp_path, '[greeting]\nshort = "Hello {name}"', '[greeting]\nshort = "Hola {name}"')
    assert texts.say("es", "greeting.short", name="Ana") == "Hola Ana"


def test_a_text_that_one_language_lacks_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(TextsError, match="only one of en and es: farewell"):
        catalogue(tmp_path, 'hi = "Hi"\nfarewell = "Bye"', 'hi = "Hola"')


def test_a_placeholder_that_one_language_lacks_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(TextsError, match="other placeholders in es"):
        catalogue(tmp_path, 'hi = "Hi {name}"', 'hi = "Hola"')


def test_a_missing_value_is_named(tmp_path: Path) -> None:
    texts = catalogue(tmp_path, 'hi = "Hi {name}"', 'hi = "Hola {name}"')
    with pytest.raises(TextsError, match="'hi' needs a value for 'name'"):
        texts.say("en", "hi")


def test_days_and_times_are_said_as_people_say_them() -> None:
    assert say_day("en", date(2026, 12, 1)) == "Tuesday, December 1"
    assert say_day("es", date(2026, 12, 1)) == "martes, 1 de diciembre"
    assert say_time("en", time(14, 5)) == "2:05 PM"
    assert say_time("es", time(14, 5)).isascii()

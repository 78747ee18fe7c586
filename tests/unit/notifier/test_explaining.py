from pathlib import Path

import pytest

from services.notifier.model.causes import CAUSES
from services.notifier.model.explaining import WHY, explain
from services.notifier.model.purposes import Purpose
from services.notifier.model.send_rules import Reason

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.mark.parametrize("reason", list(Reason))
def test_no_reason_goes_out_without_its_words(reason: Reason) -> None:
    said = explain(Purpose.REMINDER, reason, None)
    assert said is not None
    assert said.why == WHY[reason]
    assert explain(Purpose.PAGE, reason, None) is not None


@pytest.mark.parametrize("error", [*CAUSES, "30003", "30005", "21610", "unknown", "SMTP 550", "SMTP 535 5.7.8"])
def test_a_known_error_says_what_to_do(error: str) -> None:
    said = explain(Purpose.REMINDER, None, error)
    assert said is not None
    assert said.why != error
    assert said.step


@pytest.mark.parametrize("error", ["31999", "SMTP 599", "HTTP 418"])
def test_an_error_not_known_here_is_said_plainly(error: str) -> None:
    said = explain(Purpose.REMINDER, None, error)
    assert said is not None
    assert said.why == f"the provider says {error}"


def test_a_reason_of_a_later_version_is_said_plainly() -> None:
    said = explain(Purpose.REMINDER, "post_strike", None)
    assert said is not None
    assert (said.why, said.step) == ("post strike", None)


def test_what_reached_its_recipient_needs_no_words() -> None:
    assert explain(Purpose.REMINDER, None, None) is None


def test_a_page_that_reached_nobody_is_not_called_a_patients_doing() -> None:
    said = explain(Purpose.PAGE, None, "21610")
    assert said is not None
    assert "patient" not in said.why


@pytest.mark.parametrize(
    "words", ["is a landline and takes no texts", "the mailbox does not exist", "agreed to this on this channel"]
)
def test_the_words_for_a_reason_stand_in_one_file_alone(words: str) -> None:
    found = {
        file.relative_to(ROOT).as_posix()
        for package in ("keepwell", "services", "shared")
        for file in (ROOT / package).rglob("*")
        if file.suffix in {".py", ".toml", ".html"} and words in file.read_text(encoding="utf-8")
    }
    assert found == {"services/notifier/model/explaining.py"}

"""Facts about the body of a text, numbers and keywords."""

import pytest

from services.sandbox.model.keywords import Keyword, keyword_in
from services.sandbox.model.numbers import handset_id, valid_number
from services.sandbox.model.texts import asks_for_c, checkin_link, links, pattern, segments
from services.sandbox.pages import linked
from services.sandbox.twiml import read_answer


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_a_text_is_counted_in_segments(body: str, count: int) -> None:
    assert segments(body) == count


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("STOP", Keyword.STOP),
        (" stop\n", Keyword.STOP),
        ("Unsubscribe", Keyword.STOP),
        ("optout", Keyword.STOP),
        ("STOP PLEASE", None),
        ("yes", Keyword.START),
        ("info", Keyword.HELP),
        ("C", None),
        ("", None),
    ],
)
def test_only_a_single_word_is_a_keyword(body: str, word: Keyword | None) -> None:
    assert keyword_in(body) is word


def test_links_lose_the_punctuation_after_them() -> None:
    assert links("See http://a.test/x. Or (https://b.test/c/tok?x=1).") == (
        "http://a.test/x",
        "https://b.test/c/tok?x=1",
    )
    assert checkin_link("Map: https://b.test/map and http://127.0.0.1:80/c/tok.") == "http://127.0.0.1:80/c/tok"
    assert checkin_link("No link") is None


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("Reply C to confirm", True),
        ("Responda C para confirmar.", True),
        ("Call us. https://a.test/c/C", False),
        ("Clinic", False),
    ],
)
def test_a_single_capital_c_is_a_question(body: str, asks: bool) -> None:
    assert asks_for_c(body) is asks


def test_two_texts_that_differ_by_their_secret_link_are_the_same_text() -> None:
    assert pattern("Go: http://a.test/c/one") == pattern("Go: http://a.test/c/two")


@pytest.mark.parametrize(
    ("number", "fine"),
    [
        ("+12125550123", True),
        ("+5491123456789", True),
        ("2125550123", False),
        ("+1212", False),
        ("+1212555o123", False),
    ],
)
def test_a_number_is_e164_or_refused(number: str, fine: bool) -> None:
    assert valid_number(number) is fine


def test_a_handset_is_named_without_its_number() -> None:
    name = handset_id("+12125550123", "secret")
    assert name == handset_id("+12125550123", "secret")
    assert name != handset_id("+12125550123", "another")
    assert "2125550123" not in name


@pytest.mark.parametrize(
    ("document", "texts"),
    [
        ("<Response><Message>Thanks &amp; bye</Message></Response>", ["Thanks & bye"]),
        (
            "<?xml version='1.0'?><Response><Message><Body>One</Body></Message><Message>Two</Message></Response>",
            ["One", "Two"],
        ),
        ("<Response/>", []),
        ("", []),
        ("<Response><Message>", []),
        ("<html><Message>no</Message></html>", []),
    ],
)
def test_twiml_says_what_is_sent_back(document: str, texts: list[str]) -> None:
    assert read_answer(document) == texts


def test_a_text_on_a_page_is_escaped_and_its_links_can_be_followed() -> None:
    assert linked("<b> http://a.test/c/x?a=1&b=2, ok") == (
        '&lt;b&gt; <a href="http://a.test/c/x?a=1&amp;b=2">http://a.test/c/x?a=1&amp;b=2</a>, ok'
    )

"""What is kept of a message's words: all of them, but for the secret of a patient's link."""

from itertools import product

import pytest

from services.notifier.kept_words import open_words, seal_words, without_secret, words_to_keep
from services.notifier.model.answering import Answer
from services.notifier.model.purposes import NOTICES, Channel, Occurrence, Purpose
from services.notifier.wording import Content, Wording, compose
from shared.protection import Keyring
from shared.walltime import parse_wall

SECRET = "k9-Zq_3vT0aB7xWmP2sLrE5dN8fHyGcUjQ4oI6tXw1M"
LINKS = (
    f"https://care.example/c/{SECRET}",
    f"https://care.example:8443/c/{SECRET}",
    f"http://127.0.0.1:8080/c/{SECRET}",
    f"https://care.example/clinic/c/{SECRET}/",
    f"https://care.example/c?token={SECRET}",
    f"https://care.example/c#{SECRET}",
    f"https://{SECRET}@care.example/c",
    f"https://clínica.example/c/{SECRET}",
    f"https://care.example/c/{SECRET}`…",
    SECRET,
)


def content(language: str, link: str) -> Content:
    walls = (parse_wall("2026-09-23T22:30"),)
    return Content(language, "Clínica Ñandú", "+1 555 010 0100", "Text 988.", "https://x", link, walls[0], others=walls)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_secret_of_a_link_is_never_among_the_words_that_staff_read(link: str, language: str) -> None:
    occurrences = {purpose: ["day-1", *NOTICES] for purpose in Purpose} | {Purpose.REPLY: sorted(Answer)}
    sent_with_it = 0
    for purpose, channel in product(Purpose, Channel):
        if (purpose, channel) == (Purpose.REPLY, Channel.EMAIL):
            continue
        for occurrence in occurrences[purpose]:
            said_of = content(language, link)
            said = compose(purpose, channel, occurrence, said_of)
            kept = words_to_keep(purpose, channel, occurrence, said_of, said)
            assert SECRET not in kept.subject + kept.body
            sent_with_it += SECRET in said.body
    assert sent_with_it, "no message of these carried the link"


def test_all_else_is_kept_word_for_word() -> None:
    said_of = content("en", "")
    said = compose(Purpose.REMINDER, Channel.EMAIL, Occurrence.MOVED, said_of)
    assert words_to_keep(Purpose.REMINDER, Channel.EMAIL, Occurrence.MOVED, said_of, said) == said
    said_of = content("en", LINKS[0])
    said = compose(Purpose.CHECKIN, Channel.EMAIL, "day-1", said_of)
    kept = words_to_keep(Purpose.CHECKIN, Channel.EMAIL, "day-1", said_of, said)
    assert kept == Wording(said.body.replace(LINKS[0], "https://care.example/…"), said.subject)


@pytest.mark.parametrize(
    ("link", "shown"), [(LINKS[0], "https://care.example/…"), (LINKS[-1], "…"), (LINKS[6], "https://care.example/…")]
)
def test_whose_link_it_was_can_still_be_read(link: str, shown: str) -> None:
    assert without_secret(link) == shown


def test_kept_words_cannot_be_read_without_the_keys() -> None:
    keyring, words = Keyring.from_text(Keyring.generate()), Wording("See you on Friday.", "Your visit")
    sealed = seal_words(keyring, words)
    assert "Friday" not in sealed
    assert open_words(keyring, sealed) == words

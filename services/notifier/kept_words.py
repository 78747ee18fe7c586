"""The words of messages as they are kept for staff: sealed, and without the secret of a patient's link."""

import json
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from services.notifier.model.purposes import Channel, Purpose
from services.notifier.wording import Content, Wording, compose
from shared.protection import Keyring, Sealed

CONTEXT: Final = "sent-words"
"""The context that the words are sealed for; others open them too (`MessageSent.words`)."""
LEFT_OUT: Final = "…"


def words_to_keep(purpose: Purpose, channel: Channel, occurrence: str, content: Content, said: Wording) -> Wording:
    """Return what is kept of a message's words.

    A link is worded anew without its secret, rather than cut out of the words: whatever a channel does to the letters
    of a text, the secret is never among them. Whoever opens a link answers for its patient.

    Args:
        purpose: of the message.
        channel: by which it goes.
        occurrence: which of its purpose it is.
        content: what it says.
        said: its words as they go out.
    """
    if not content.link:
        return said
    return compose(purpose, channel, occurrence, replace(content, link=without_secret(content.link)))


def without_secret(link: str) -> str:
    """Return whose link it is and nothing of what it opens, such as `https://care.example/…`."""
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.hostname}/{LEFT_OUT}" if parts.scheme and parts.hostname else LEFT_OUT


def seal_words(keyring: Keyring, words: Wording) -> Sealed:
    """Return words sealed, as JSON of `subject` (of mail alone) and `body`."""
    return keyring.seal(json.dumps({"subject": words.subject, "body": words.body}), context=CONTEXT)


def open_words(keyring: Keyring, sealed: str) -> Wording:
    """Return words that `seal_words` has sealed.

    Raises:
        SealedError: if they cannot be opened.
    """
    kept = json.loads(keyring.open(sealed, context=CONTEXT))
    return Wording(kept["body"], kept["subject"])

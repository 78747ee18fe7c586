"""Reads what a webhook answers to a text: TwiML, as far as texts go."""

from typing import Final
from xml.etree import ElementTree as ET

LONGEST: Final = 64 * 1024
"""Characters of TwiML that the provider takes."""


def read_answer(document: str) -> list[str]:
    """Return the texts that an answer sends back: each `<Message>`, with its words in `<Body>` or in itself.

    What is no TwiML sends nothing, as with the provider, which notes error 12100 and goes on.
    """
    if not document.strip() or len(document) > LONGEST:
        return []
    try:
        response = ET.fromstring(document)  # noqa: S314 - our own service's answer; expat expands no outside entity
    except ET.ParseError:
        return []
    if response.tag != "Response":
        return []
    bodies = [_words(message) for message in response if message.tag in {"Message", "Sms"}]
    return [body for body in bodies if body]


def _words(message: ET.Element) -> str:
    body = message.find("Body")
    return "".join((message if body is None else body).itertext()).strip()

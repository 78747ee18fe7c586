"""The words by which a phone network itself opens and closes the way between a handset and a sender.

Source: Twilio help 223134027. Only a text that is one single word counts; "STOP PLEASE" passes through untouched.
"""

from enum import StrEnum
from typing import Final


class Keyword(StrEnum):
    """What a single word asks of the network."""

    STOP = "stop"
    START = "start"
    HELP = "help"


STOP_WORDS: Final = frozenset(["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"])
START_WORDS: Final = frozenset(["START", "YES", "UNSTOP"])
HELP_WORDS: Final = frozenset(["HELP", "INFO"])

NETWORK_ANSWERS: Final = {
    Keyword.STOP: (
        "You have successfully been unsubscribed. You will not receive any more messages from this number. "
        "Reply START to resubscribe."
    ),
    Keyword.START: (
        "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
        "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
    ),
    Keyword.HELP: "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}
"""What the network answers by itself."""


def keyword_in(body: str) -> Keyword | None:
    """Return what a text asks of the network, or None where it is no single keyword."""
    word = body.strip().upper()
    if word in STOP_WORDS:
        return Keyword.STOP
    if word in START_WORDS:
        return Keyword.START
    return Keyword.HELP if word in HELP_WORDS else None

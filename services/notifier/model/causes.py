"""What a provider's error means: one cause for all, or an address that does not work.

Codes and remedies follow the provider's error dictionary (https://www.twilio.com/docs/api/errors) and RFC 3463 for
mail; which of them make a cause that hits everybody is an engineering default.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Cause:
    """Why many messages do not arrive, and what a person does about it."""

    what: str
    remedy: str


CAUSES: Final[dict[str, Cause]] = {
    "20003": Cause(
        "the provider refuses the account's secret",
        "set KEEPWELL_TWILIO_AUTH_TOKEN to the account's present one and restart the notifier",
    ),
    "20005": Cause("the provider has closed the account", "ask the provider; it says why in its console"),
    "30001": Cause("the provider's queue is full", "lower KEEPWELL_NOTIFIER__RATE_PER_SECOND to what the sender may"),
    "30002": Cause("the provider has suspended the account", "ask the provider; it says why in its console"),
    "30007": Cause(
        "the carriers filter these texts as unwanted",
        "register the sender (10DLC or toll-free verification) and ask the provider why they are filtered",
    ),
    "30010": Cause("the price of a text is above the account's limit", "raise the limit in the provider's console"),
    "30022": Cause("the sender sends more than its campaign may", "lower KEEPWELL_NOTIFIER__RATE_PER_SECOND"),
    "30032": Cause("the toll-free number is not verified", "verify it in the provider's console"),
    "30034": Cause(
        "the sender is not registered with the carriers",
        "register the number's brand and campaign (10DLC) in the provider's console",
    ),
    "21606": Cause("the provider does not let this account send from KEEPWELL_TWILIO_FROM", "name a number of its own"),
    "21608": Cause("a trial account sends to verified numbers alone", "upgrade the account at the provider"),
    "HTTP 401": Cause(
        "the provider refuses the account's secret",
        "set KEEPWELL_TWILIO_AUTH_TOKEN to the account's present one and restart the notifier",
    ),
    "HTTP 404": Cause("the provider knows no such account", "check KEEPWELL_TWILIO_ACCOUNT_SID"),
    "SMTP 530": Cause("the mail server wants a login", "set KEEPWELL_SMTP_USERNAME and KEEPWELL_SMTP_PASSWORD"),
    "SMTP 534": Cause("the mail server wants another way to log in", "make an app password with your mail provider"),
    "SMTP 535": Cause("the mail server refuses the login", "check KEEPWELL_SMTP_USERNAME and KEEPWELL_SMTP_PASSWORD"),
    "SSLCertVerificationError": Cause(
        "the mail server's certificate is not trusted here",
        "give the server's own, or its authority's, in KEEPWELL_SMTP_CA; `keepwell doctor` tries it",
    ),
    "no provider": Cause("no provider is set for this channel", "set the provider's account (see docs/operations.md)"),
}
"""Errors that are the account's, the sender's or the server's, and so everybody's."""

_NUMBERS: Final = frozenset({"21211", "21214", "21217", "21614", "30005", "30006"})
"""No such number, or one that takes no texts: https://www.twilio.com/docs/api/errors."""
_MAILBOXES: Final = re.compile(r"SMTP (?:(?:550|551|553)|5\d\d 5\.(?:1\.\d+|2\.1))")
"""No such mailbox or domain (RFC 3463: X.1.X an address, X.2.1 a mailbox that is switched off); without the longer code
the three answers that RFC 5321 has for a mailbox."""


_SHORT: Final = re.compile(r"(SMTP \d{3}) .*")


def cause_of(error: str) -> Cause:
    """Return what is known of an error that many messages share."""
    known = CAUSES.get(error) or CAUSES.get(_SHORT.sub(r"\1", error))
    return known or Cause(f"the provider says {error}", "look the code up at the provider; `keepwell explain` has more")


def is_dead(error: str | None) -> bool:
    """Tell whether an error says that the address itself does not work, so that nothing more need be tried there."""
    return error is not None and (error in _NUMBERS or _MAILBOXES.fullmatch(error) is not None)

import ssl

import aiosmtplib
import pytest

from keepwell.doctor.outside import _remedy as doctor_remedy
from services.notifier.model.causes import cause_of, is_dead
from services.notifier.ports.smtp import SmtpAccount, reason_of


@pytest.mark.parametrize(
    ("tls", "password", "must"),
    [
        ("auto", None, None),
        ("auto", "secret", True),
        ("starttls", None, True),
        ("none", "secret", False),
        ("tls", "secret", False),
    ],
)
def test_a_password_goes_over_tls_unless_somebody_says_otherwise(
    tls: str, password: str | None, must: bool | None
) -> None:
    assert SmtpAccount("mail.example.org", 587, "clinic@example.org", None, password, tls).start_tls is must


@pytest.mark.parametrize(
    "sender",
    ["no-reply@clinic.example", "Riverside <no-reply@clinic.example>", '"Riverside, Health" <no-reply@clinic.example>'],
)
def test_a_name_before_the_address_goes_on_no_envelope(sender: str) -> None:
    account = SmtpAccount("mail.example.org", 587, sender, None, None, "auto")
    assert (account.address, account.domain) == ("no-reply@clinic.example", "clinic.example")


def test_a_certificate_that_nobody_signed_is_not_taken_for_a_server_that_is_away() -> None:
    under = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")
    error = aiosmtplib.SMTPConnectError("Error connecting to mail.example on port 465")
    error.__cause__ = under
    assert reason_of(error) == reason_of(under) == "SSLCertVerificationError"
    assert reason_of(TimeoutError()) == "TimeoutError"
    assert "KEEPWELL_SMTP_CA" in cause_of("SSLCertVerificationError").remedy
    assert "KEEPWELL_SMTP_CA" in doctor_remedy(error)


@pytest.mark.parametrize(
    ("error", "dead"),
    [
        ("SMTP 550", True),
        ("SMTP 550 5.1.1", True),
        ("SMTP 554 5.1.2", True),
        ("SMTP 550 5.7.1", False),
        ("SMTP 554 5.7.1", False),
        ("SMTP 552 5.2.2", False),
        ("SMTP 535 5.7.8", False),
        ("30006", True),
        ("30003", False),
        ("30034", False),
        ("21610", False),
        (None, False),
    ],
)
def test_a_cause_that_is_not_the_addresss_marks_none(error: str | None, dead: bool) -> None:
    assert is_dead(error) is dead


def test_a_longer_code_does_not_hide_a_login_that_is_refused() -> None:
    assert "KEEPWELL_SMTP_PASSWORD" in cause_of("SMTP 535 5.7.8").remedy

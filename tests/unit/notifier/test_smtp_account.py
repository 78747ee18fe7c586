import pytest

from services.notifier.ports.smtp import SmtpAccount


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

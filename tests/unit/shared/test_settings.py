from pathlib import Path

import pytest

from keepwell.host.process import _provider
from shared.settings import Settings, SettingsError, known_names, load


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in known_names():
        monkeypatch.delenv(name, raising=False)


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    return str(caught.value)


def test_without_any_setting_everything_has_a_default() -> None:
    settings = load()
    assert settings.clock == "real"
    assert settings.sandbox_on
    assert not settings.live


def test_a_wrong_value_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, KEEPWELL_HTTP_PORT="eighty")
    assert message.startswith("KEEPWELL_HTTP_PORT is 'eighty': ")
    assert "port to listen on" in message
    assert "\n" not in message


def test_a_nested_value_is_named_as_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "KEEPWELL_NOTIFIER__TEXTS_PER_DAY is '0'" in refusal(monkeypatch, KEEPWELL_NOTIFIER__TEXTS_PER_DAY="0")


def test_a_name_that_is_no_setting_is_refused_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, KEEPWELL_HTTP_PROT="8080")
    assert message == "KEEPWELL_HTTP_PROT is not a setting; did you mean KEEPWELL_HTTP_PORT?"


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(
        monkeypatch, KEEPWELL_TWILIO_ACCOUNT_SID="AC1", KEEPWELL_TWILIO_AUTH_TOKEN="hunter2", KEEPWELL_HTTP_PORT="-1"
    )
    assert "hunter2" not in message


def test_a_secret_is_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    monkeypatch.setenv("KEEPWELL_TWILIO_AUTH_TOKEN_FILE", str(tmp_path / "token"))
    token = load().twilio_auth_token
    assert token is not None
    assert token.get_secret_value() == "from-a-file"


def test_a_secret_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, KEEPWELL_SMTP_PASSWORD_FILE="/nowhere/secret")
    assert (
        message == "KEEPWELL_SMTP_PASSWORD_FILE is '/nowhere/secret', which cannot be read: No such file or directory."
    )


LIVE = {
    "KEEPWELL_TWILIO_ACCOUNT_SID": "AC1",
    "KEEPWELL_TWILIO_AUTH_TOKEN": "secret",
    "KEEPWELL_TWILIO_FROM": "+15005550006",
    "KEEPWELL_PUBLIC_URL": "https://keepwell.example.org",
}


@pytest.mark.parametrize("extra", [{"KEEPWELL_TRIAL": "true"}, {"KEEPWELL_CLOCK": "x60"}])
def test_trial_time_is_refused_with_a_live_provider(monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]) -> None:
    assert "live provider" in refusal(monkeypatch, **LIVE, **extra)


def test_trial_time_is_allowed_with_a_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    values = LIVE | {"KEEPWELL_TWILIO_BASE_URL": "http://127.0.0.1:9999", "KEEPWELL_TRIAL": "true"}
    for name, value in (values | {"KEEPWELL_CLOCK": "steps"}).items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert settings.clock_factor is None
    assert not settings.sandbox_on


def test_an_account_without_its_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, KEEPWELL_TWILIO_ACCOUNT_SID="AC1")
    assert "set KEEPWELL_TWILIO_AUTH_TOKEN and KEEPWELL_TWILIO_FROM too" in message


@pytest.mark.parametrize("clock", ["fast", "x", "x-3", "steps please"])
def test_a_clock_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch, clock: str) -> None:
    assert f"KEEPWELL_CLOCK is {clock!r}" in refusal(monkeypatch, KEEPWELL_CLOCK=clock)


def test_a_process_with_a_role_of_its_own_hosts_that_service_and_needs_no_other_ones_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEEPWELL_ASSESSMENTS__DATABASE_URL", "postgresql://keepwell_assessments:a@db/keepwell")
    for name in ("KEEPWELL_TWILIO_ACCOUNT_SID", "KEEPWELL_TWILIO_FROM", "KEEPWELL_PUBLIC_URL"):
        monkeypatch.setenv(name, {"KEEPWELL_PUBLIC_URL": "https://clinic.example"}.get(name, "AC1"))
    settings = load()
    assert settings.can_host == {"assessments"}
    assert settings.live
    monkeypatch.setenv("KEEPWELL_NOTIFIER__DATABASE_URL", "postgresql://keepwell_notifier:n@db/keepwell")
    with pytest.raises(SettingsError, match="set KEEPWELL_TWILIO_AUTH_TOKEN too"):
        load()


def test_a_common_database_lets_a_process_host_every_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPWELL_DATABASE_URL", "postgresql://admin:a@db/keepwell")
    monkeypatch.setenv("KEEPWELL_CLINIC__DATABASE_URL", "postgresql://keepwell_clinic:c@db/keepwell")
    assert load().can_host == {"clinic", "scheduler", "notifier", "assessments"}


def test_kafka_asks_for_a_name_and_a_password_where_it_logs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, KEEPWELL_KAFKA_SECURITY_PROTOCOL="SASL_SSL", KEEPWELL_KAFKA_SASL_USERNAME="keepwell")
    assert "KEEPWELL_KAFKA_SASL_PASSWORD" in message


def test_a_client_certificate_and_its_key_belong_together(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "KEEPWELL_KAFKA_KEY" in refusal(monkeypatch, KEEPWELL_KAFKA_CERTIFICATE="/run/secrets/kafka.pem")


def test_the_hosts_that_the_sandbox_may_call_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPWELL_SANDBOX__INBOUND_HOSTS", "keepwell.localhost, Clinic")
    assert load().sandbox.allowed_hosts == {"keepwell.localhost", "clinic"}


def test_an_empty_secret_file_leaves_its_setting_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("\n")
    monkeypatch.setenv("KEEPWELL_SMTP_PASSWORD_FILE", str(tmp_path / "password"))
    assert load().smtp_password is None


def test_an_empty_variable_leaves_its_setting_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPWELL_KAFKA_CA", "")
    monkeypatch.setenv("KEEPWELL_SANDBOX__INBOUND_HOSTS", "")
    assert load().kafka_ca is None
    assert load().sandbox.allowed_hosts == frozenset()


def test_a_services_own_secret_is_read_from_a_file_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://keepwell_notifier:n@db/keepwell\n")
    monkeypatch.setenv("KEEPWELL_NOTIFIER__DATABASE_URL_FILE", str(tmp_path / "url"))
    for _ in range(2):
        url = load().notifier.database_url
        assert url is not None
        assert url.get_secret_value() == "postgresql://keepwell_notifier:n@db/keepwell"


@pytest.mark.parametrize(
    ("zone", "remedy"),
    [("Mars/X", "Give an IANA name"), ("EST", "America/New_York"), ("UTC", "fixed offset"), ("New York", "New_York")],
)
def test_a_zone_that_is_no_place_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, zone: str, remedy: str
) -> None:
    message = refusal(monkeypatch, KEEPWELL_ZONE=zone)
    assert message.startswith(f"KEEPWELL_ZONE is {zone!r}: ")
    assert remedy in message
    assert "\n" not in message


def test_an_alias_of_a_zone_is_taken_for_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPWELL_ZONE", "US/Eastern")
    assert load().zone == "America/New_York"


@pytest.mark.parametrize(
    "sender",
    [
        "clinic",
        "clinic@",
        "Riverside",
        "Riverside, Health <no-reply@clinic.example>",
        "a@clinic.example, b@clinic.example",
        "no-reply@clinic.example\nBcc: all@clinic.example",
        "Riverside <no-reply@clinic.example",
        "no-reply@clinic.example>",
    ],
)
def test_a_sender_that_no_mail_server_takes_does_not_start(monkeypatch: pytest.MonkeyPatch, sender: str) -> None:
    message = refusal(monkeypatch, KEEPWELL_SMTP_HOST="mail.example", KEEPWELL_SMTP_FROM=sender)
    assert "KEEPWELL_SMTP_FROM" in message
    assert "Riverside <visits@clinic.example>" in message


@pytest.mark.parametrize(
    "sender",
    [
        "no-reply@clinic.example",
        "Riverside <no-reply@clinic.example>",
        '"Riverside, Health" <no-reply@clinic.example>',
        "Clínica Ñandú — Salud <no-reply@clinic.example>",
        "St. Mary's Clinic <no-reply@clinic.example>",
    ],
)
def test_a_sender_as_self_hosters_write_it_starts(monkeypatch: pytest.MonkeyPatch, sender: str) -> None:
    monkeypatch.setenv("KEEPWELL_SMTP_HOST", "mail.example")
    monkeypatch.setenv("KEEPWELL_SMTP_FROM", sender)
    assert load().smtp_from == sender


def test_mail_without_a_sender_does_not_start() -> None:
    with pytest.raises(SettingsError, match="set KEEPWELL_SMTP_FROM too"):
        _provider(Settings(smtp_host="mail.example"))

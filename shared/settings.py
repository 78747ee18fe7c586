"""Settings: environment variables that begin with `KEEPWELL_`, nested per service, secrets also from files.

`KEEPWELL_TWILIO_AUTH_TOKEN_FILE=/run/secrets/twilio` reads the value of `KEEPWELL_TWILIO_AUTH_TOKEN` from a file; any
setting can be given that way. An empty variable or file leaves its setting unset, as compose files need. A wrong value,
a value that contradicts another, or a name that does not exist stops the start with one line each.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.mailbox import Sender
from shared.zones import check_zone

PREFIX: Final = "KEEPWELL_"
LIVE_PROVIDER: Final = "https://api.twilio.com"
SERVICES: Final = ("clinic", "scheduler", "notifier", "assessments")
"""The services that keep a schema; the sandbox keeps none."""


class SettingsError(Exception):
    """Settings that cannot be used; the message has one line for each flaw, with its name, value and remedy."""


class ServiceSettings(BaseModel):
    """What every service can be told of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(None, description="where the other services reach it; this process where absent")
    database_url: SecretStr | None = Field(None, description="its own role's address; derived where absent")


class NotifierSettings(ServiceSettings):
    """Limits of the notifier."""

    texts_per_day: int = Field(6, ge=1, description="texts to one patient a day; replies and pages do not count")
    rate_per_second: float = Field(0, ge=0, description="messages a second for one sender; 0 is no limit")
    concurrency: int = Field(50, ge=1, le=500, description="calls to the provider at once")
    provider_timeout: float = Field(10, gt=0, description="real seconds for one call")
    settle_after: float = Field(60, ge=0, description="seconds after which an unknown attempt is looked up")


class AssessmentsSettings(ServiceSettings):
    """Times of the assessments service; engineering defaults for a clinic to change."""

    post_session_hours: int = Field(72, ge=1, description="how long a post-session check stays open")
    weekly_hours: int = Field(144, ge=1, description="how long a weekly questionnaire stays open")
    page_again_minutes: int = Field(
        15, ge=1, le=60, description="until an alert that nobody has acknowledged pages again, without a last time"
    )
    proposal_days: int = Field(14, ge=1, description="how long a proposal can be decided")


class SandboxSettings(BaseModel):
    """The stand-in phone network and mailbox."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool | None = Field(None, description="on where no provider is set; `true` or `false` to say it")
    profile: str = Field("lively", description="calm, lively or rough")
    seed: int = Field(1, description="of all that the network does by chance")
    patients: bool = Field(False, description="whether virtual patients answer by themselves")
    inbound_hosts: str = Field(
        "", description="hosts that it may call beside this machine's own, with commas; for a Keepwell in a container"
    )
    smtp_port: int = Field(0, ge=0, le=65535, description="port of the mailbox; 0 takes a free one")

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Return the names in `inbound_hosts`."""
        return frozenset(filter(None, (host.strip().lower() for host in self.inbound_hosts.split(","))))


class Settings(BaseSettings):
    """Every setting, with its default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    http_host: str = Field("127.0.0.1", description="address to listen on")
    http_port: int | None = Field(
        None, ge=0, le=65535, description="port to listen on; 8080 or, where that is taken, a free one by default"
    )
    http_also: int | None = Field(
        None, ge=1, le=65535, description="one more port to listen on, for a container that is reached by two"
    )
    public_url: str | None = Field(None, description="address that patients and the provider reach; http(s)://host")
    page_seconds: float = Field(5.0, ge=1, le=120, description="seconds a page waits for its database; forms thrice")
    trusted_proxies: str | None = Field(
        None,
        description="addresses or networks of reverse proxies, with commas, whose X-Forwarded-For tells who calls",
    )
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("keepwell"),
        description="where the embedded parts, the keys and the sandbox keep their data",
    )
    database_url: SecretStr | None = Field(None, description="PostgreSQL; the embedded one where absent")
    kafka_bootstrap_servers: str | None = Field(None, description="Kafka; the embedded one where absent")
    kafka_partitions: int = Field(4, ge=1, description="partitions of each topic when it is made")
    kafka_replication: int = Field(1, ge=1, description="replicas of each topic when it is made")
    kafka_min_insync: int = Field(1, ge=1, description="min.insync.replicas of each topic when it is made")
    kafka_retention_days: int = Field(7, ge=1, description="how long topics keep events")
    keep_days: int = Field(
        90,
        ge=2,
        description="how long handled events and the provider's reports are remembered",
    )
    kafka_security_protocol: str = Field(
        "PLAINTEXT",
        pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$",
        description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
    )
    kafka_ca: Path | None = Field(None, description="PEM file with whom to trust; the system's where absent")
    kafka_certificate: Path | None = Field(None, description="PEM file with this client's certificate, for mutual TLS")
    kafka_key: Path | None = Field(None, description="PEM file with that certificate's key")
    kafka_sasl_mechanism: str = Field(
        "SCRAM-SHA-512",
        pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$",
        description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
    )
    kafka_sasl_username: str | None = Field(None, description="who logs in to Kafka")
    kafka_sasl_password: SecretStr | None = Field(None, description="its password")
    admin_name: str | None = Field(
        None, description="the first administrator, made with the clinic at its first start; such as Dana Ruiz"
    )
    admin_login: str | None = Field(None, description="their login; it follows from the name where absent: dana.ruiz")
    instance: str | None = Field(
        None,
        description="a name that this process keeps over restarts (static membership); `hostname` takes the machine's",
    )
    keys: SecretStr | None = Field(None, description="sealing keys as id:base64,...; made in data_dir where absent")
    tokens_since: AwareDatetime | None = Field(
        None, description="instant, such as 2026-12-01T09:00:00Z; tokens of programs made before it are revoked"
    )
    clock: str = Field(
        "real", description="real, xN (N times as fast) or steps", pattern=r"^(real|steps|x\d+(\.\d+)?)$"
    )
    trial: bool = Field(False, description="trial time over the API; refused with a live provider")
    zone: str = Field("America/New_York", description="zone of the first clinic")
    countries: str = Field(
        "",
        pattern=r"^([A-Z]{2}(,[A-Z]{2})*)?$",
        description="countries beside the clinic's own whose numbers get texts, as CA,MX",
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR")
    otlp_endpoint: str | None = Field(
        None, description="OTLP/HTTP address of a collector, such as http://collector:4318; no traces where absent"
    )
    otlp_headers: SecretStr | None = Field(None, description="what the collector asks for, as name=value,name=value")
    trace_share: float = Field(1, ge=0, le=1, description="share of the traces that begin here which are recorded")
    stop_seconds: int = Field(20, ge=1, description="how long a stop may take")

    twilio_base_url: str = Field(LIVE_PROVIDER, description="the provider's address, or a stand-in's")
    twilio_account_sid: str | None = Field(None, description="the account that sends; the sandbox's where absent")
    twilio_auth_token: SecretStr | None = Field(None, description="its secret; the notifier alone needs it")
    twilio_auth_token_other: SecretStr | None = Field(
        None, description="a second secret whose signature on webhooks is taken too, while tokens are changed"
    )
    twilio_from: str | None = Field(None, description="the sender's number in E.164, or a Messaging Service's SID")
    smtp_host: str | None = Field(None, description="mail server; without one e-mail goes to the sandbox, or is off")
    smtp_port: int = Field(587, ge=1, le=65535, description="its port")
    smtp_from: Sender | None = Field(None, description="its sender: an address, or Riverside <visits@clinic.example>")
    smtp_username: str | None = Field(None, description="who logs in to it; nobody where absent")
    smtp_password: SecretStr | None = Field(None, description="the password")
    smtp_tls: str = Field(
        "auto",
        pattern="^(auto|none|starttls|tls)$",
        description="tls, starttls, none, or auto: STARTTLS where the server offers it, and always with a password",
    )
    smtp_ca: FilePath | None = Field(None, description="whom to trust where no known authority signed for it")

    clinic: ServiceSettings = ServiceSettings()
    scheduler: ServiceSettings = ServiceSettings()
    notifier: NotifierSettings = NotifierSettings()
    assessments: AssessmentsSettings = AssessmentsSettings()
    sandbox: SandboxSettings = SandboxSettings()

    @property
    def split(self) -> bool:
        """Tell whether this process knows its services' own roles alone, and `keepwell migrate` is run elsewhere."""
        return self.database_url is None and any(getattr(self, name).database_url is not None for name in SERVICES)

    @property
    def can_host(self) -> frozenset[str]:
        """Return the services that this process has a database for: all, or those whose own role alone it was given."""
        if not self.split:
            return frozenset(SERVICES)
        return frozenset(name for name in SERVICES if getattr(self, name).database_url is not None)

    @property
    def keep(self) -> timedelta:
        """Return how long what may come again is remembered."""
        return timedelta(days=self.keep_days)

    @property
    def texted_countries(self) -> frozenset[str]:
        """Return the countries beside the clinic's own whose numbers get texts."""
        return frozenset(filter(None, self.countries.split(",")))

    @property
    def live(self) -> bool:
        """Tell whether texts would reach real phones: the provider's own address and an account."""
        host = urlsplit(self.twilio_base_url).hostname or ""
        return self.twilio_account_sid is not None and (host == "twilio.com" or host.endswith(".twilio.com"))

    @property
    def sandbox_on(self) -> bool:
        """Tell whether the stand-ins run: where asked for, or where no provider is set."""
        if self.sandbox.enabled is not None:
            return self.sandbox.enabled
        return self.twilio_account_sid is None

    @property
    def clock_factor(self) -> float | None:
        """Return how fast the clock runs, or None where it is stepped."""
        if self.clock == "steps":
            return None
        return 1.0 if self.clock == "real" else float(self.clock[1:])

    @field_validator("public_url", "twilio_base_url", "otlp_endpoint")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address such as https://keepwell.example.org")
        return value.rstrip("/")

    @field_validator("zone")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        return check_zone(value)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.live and (self.trial or self.clock != "real"):
            raise ValueError(
                "KEEPWELL_TRIAL and KEEPWELL_CLOCK are refused while KEEPWELL_TWILIO_BASE_URL is a live provider's: "
                "patients would get texts at invented times. Unset them, or set a stand-in's address"
            )
        if self.clock == "steps" and not self.trial:
            raise ValueError("KEEPWELL_CLOCK=steps stands still until it is moved: set KEEPWELL_TRIAL=true with it")
        logs_in = self.kafka_security_protocol.startswith("SASL")
        if logs_in and not (self.kafka_sasl_username and self.kafka_sasl_password):
            raise ValueError(
                f"KEEPWELL_KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol!r}: set "
                "KEEPWELL_KAFKA_SASL_USERNAME and KEEPWELL_KAFKA_SASL_PASSWORD too"
            )
        if (self.kafka_certificate is None) != (self.kafka_key is None):
            raise ValueError("KEEPWELL_KAFKA_CERTIFICATE and KEEPWELL_KAFKA_KEY belong together: set both or neither")
        if self.twilio_account_sid is not None and not self.sandbox.enabled:
            needed: dict[str, object] = {"KEEPWELL_TWILIO_FROM": self.twilio_from}
            if "notifier" in self.can_host:  # the others only tell by the account whether real phones are texted
                needed = {"KEEPWELL_TWILIO_AUTH_TOKEN": self.twilio_auth_token} | needed
            if missing := [name for name, value in needed.items() if value is None]:
                raise ValueError(f"KEEPWELL_TWILIO_ACCOUNT_SID is set, so set {' and '.join(missing)} too")
        if self.live and self.public_url is None:
            raise ValueError("KEEPWELL_PUBLIC_URL is missing: the provider reports deliveries and replies to it")
        if self.kafka_min_insync > self.kafka_replication:
            raise ValueError(
                f"KEEPWELL_KAFKA_MIN_INSYNC is {self.kafka_min_insync} but KEEPWELL_KAFKA_REPLICATION is "
                f"{self.kafka_replication}: nothing could ever be written. Lower the first or raise the second"
            )
        return self

    @model_validator(mode="after")
    def _remembers_long_enough(self) -> Self:
        if self.keep_days <= self.kafka_retention_days:
            raise ValueError(
                f"KEEPWELL_KEEP_DAYS is {self.keep_days} but KEEPWELL_KAFKA_RETENTION_DAYS is "
                f"{self.kafka_retention_days}: an event that comes again would be handled again. Raise the first"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments and the environment only, so that one place says what holds."""
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings


def load(**overrides: Any) -> Settings:
    """Read the settings.

    Args:
        overrides: values that win over the environment, such as a command's options.

    Raises:
        SettingsError: with one line for each flaw.
    """
    files = _from_files(os.environ)
    _refuse_unknown(os.environ)
    added = {name: value for name, value in files.items() if name not in os.environ}
    # A nested one's `..._FILE` would be taken for a field of that name.
    paths = {name: os.environ.pop(name) for name in list(os.environ) if _is_path(name)}
    os.environ.update(added)
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_lines(error))) from None
    finally:
        for name in added:
            del os.environ[name]
        os.environ.update(paths)


def known_names() -> list[str]:
    """Return the name of every environment variable that is read."""
    return [name for name, _ in names_and_fields()]


def names_and_fields() -> Iterator[tuple[str, Any]]:
    """Yield each variable's name with pydantic's description of its field."""
    for name, field in Settings.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for inner, inner_field in annotation.model_fields.items():
                yield f"{PREFIX}{name}__{inner}".upper(), inner_field
        else:
            yield f"{PREFIX}{name}".upper(), field


def _from_files(environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, path in environment.items():
        if _is_path(name):
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"{name} is {path!r}, which cannot be read: {error.strerror}.") from None
            if value:
                found[name.removesuffix("_FILE")] = value
    return found


def _is_path(name: str) -> bool:
    """Tell whether a variable names the file in which a setting's value stands."""
    return name.endswith("_FILE") and name.removesuffix("_FILE") in known_names()


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = known_names()
    lines: list[str] = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in known or name.removesuffix("_FILE") in known:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "unset it, or look it up with `keepwell doctor --settings`."
        lines.append(f"{name} is not a setting; {hint}")
    if lines:
        raise SettingsError("\n".join(lines))


def _lines(error: ValidationError) -> Iterator[str]:
    for flaw in error.errors(include_input=False, include_url=False):
        place = "__".join(str(part) for part in flaw["loc"]).upper()
        message = flaw["msg"].removeprefix("Value error, ")
        if not place:
            yield message.rstrip(".") + "."
            continue
        name = PREFIX + place
        field = dict(names_and_fields()).get(name)
        secret = field is not None and "SecretStr" in str(field.annotation)
        value = "(a secret)" if secret else repr(os.environ.get(name, "(not set)"))
        expected = f" It is {field.description}." if field is not None and field.description else ""
        yield f"{name} is {value}: {message}.{expected}"

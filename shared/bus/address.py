"""Where Kafka is, and how to get in: what every client of ours is opened with."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.settings import Settings

PLAIN: Final = "PLAINTEXT"
_SASL: Final = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


class KafkaAccessError(Exception):
    """Files that a Kafka connection needs and that cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Kafka:
    """A Kafka, with the way in.

    Attributes:
        servers: bootstrap servers, `host:port` with commas.
        protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, as Kafka calls them.
        ca: PEM file with whom to trust; the system's where None.
        certificate: PEM file with the client's own certificate, for mutual TLS, and `key` with its key.
        mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, where the protocol is a SASL one.
        username: for it, with `password`.
    """

    servers: str
    protocol: str = PLAIN
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def encrypted(self) -> bool:
        return self.protocol.endswith("SSL")

    @property
    def logs_in(self) -> bool:
        """Tell whether Kafka asks who calls."""
        return self.protocol.startswith("SASL")

    def context(self) -> ssl.SSLContext | None:
        """Return how TLS is spoken, or None where it is not; names of hosts are always checked.

        Raises:
            KafkaAccessError: a file is not there or holds something else.
        """
        if not self.encrypted:
            return None
        try:
            made = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                made.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            files = ", ".join(str(file) for file in (self.ca, self.certificate, self.key) if file is not None)
            raise KafkaAccessError(
                f"KEEPWELL_KAFKA_CA, _CERTIFICATE and _KEY name {files}, which cannot be used: {error}. "
                "Each must be a PEM file that this process may read."
            ) from None
        return made


Address = Kafka | str
"""What a client of ours takes: a Kafka, or the bootstrap servers of one that lets everybody in."""


def servers_of(address: Address) -> str:
    return address if isinstance(address, str) else address.servers


def each_server(address: Address) -> list[str]:
    """Return the bootstrap servers one by one: FastStream takes a text for a single server's address."""
    return [server.strip() for server in servers_of(address).split(",") if server.strip()]


ASKED_WITHIN_MS: Final = 10_000
"""Milliseconds that a client which only asks waits for an answer before it gives the connection up. The default of
40 s is for members of groups: a join may take long."""


def asking(address: Address) -> dict[str, Any]:
    """Return what a client of aiokafka's that only asks is opened with."""
    return {**options(address), "request_timeout_ms": ASKED_WITHIN_MS}


def options(address: Address) -> dict[str, Any]:
    """Return what aiokafka's clients are opened with."""
    if isinstance(address, str):
        return {"bootstrap_servers": address}
    found: dict[str, Any] = {"bootstrap_servers": address.servers, "security_protocol": address.protocol}
    if address.encrypted:
        found["ssl_context"] = address.context()
    if address.logs_in:
        found |= {
            "sasl_mechanism": address.mechanism,
            "sasl_plain_username": address.username,
            "sasl_plain_password": address.password,
        }
    return found


def security(address: Address) -> BaseSecurity | None:
    """Return the same as FastStream's broker takes it."""
    if isinstance(address, str) or address.protocol == PLAIN:
        return None
    if not address.logs_in:
        return BaseSecurity(ssl_context=address.context())
    return _SASL[address.mechanism](
        address.username, address.password, ssl_context=address.context(), use_ssl=address.encrypted
    )


def kafka_of(settings: Settings, servers: str) -> Kafka:
    """Return the Kafka at these servers with the settings' way in."""
    secret = settings.kafka_sasl_password
    return Kafka(
        servers,
        protocol=settings.kafka_security_protocol,
        ca=settings.kafka_ca,
        certificate=settings.kafka_certificate,
        key=settings.kafka_key,
        mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_sasl_username or "",
        password=secret.get_secret_value() if secret else "",
    )

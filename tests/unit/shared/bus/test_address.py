import ssl
from pathlib import Path

import pytest
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity
from pydantic import SecretStr

from keepwell.host.engine import Engine
from shared.bus.address import Kafka, KafkaAccessError, each_server, kafka_of, options, security, servers_of
from shared.clock import RealClock
from shared.settings import Settings


def test_a_kafka_that_lets_everybody_in_needs_its_servers_alone() -> None:
    assert options("a:9092,b:9092") == {"bootstrap_servers": "a:9092,b:9092"}
    assert options(Kafka("a:9092")) == {"bootstrap_servers": "a:9092", "security_protocol": "PLAINTEXT"}
    assert security("a:9092") is None
    assert security(Kafka("a:9092")) is None
    assert servers_of(Kafka("a:9092")) == servers_of("a:9092") == "a:9092"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_settings_reach_aiokafka_and_faststream_alike(protocol: str, mechanism: str) -> None:
    settings = Settings(
        kafka_security_protocol=protocol,
        kafka_sasl_mechanism=mechanism,
        kafka_sasl_username="keepwell",
        kafka_sasl_password=SecretStr("made-up"),
    )
    kafka = kafka_of(settings, "broker.example:9093")
    given, brokers = options(kafka), parse_security(security(kafka))
    assert given["bootstrap_servers"] == "broker.example:9093"
    for name in ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password"):
        assert given[name] == brokers[name], name
    assert given["security_protocol"] == protocol
    assert given["sasl_plain_password"] == "made-up"
    assert isinstance(brokers["ssl_context"], ssl.SSLContext) == isinstance(given.get("ssl_context"), ssl.SSLContext)
    assert ("ssl_context" in given) == (protocol == "SASL_SSL")


def test_names_of_hosts_are_checked_wherever_tls_is_spoken() -> None:
    context = options(Kafka("a:9093", protocol="SSL"))["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert isinstance(security(Kafka("a:9093", protocol="SSL")), BaseSecurity)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    for ca in (file, tmp_path / "absent.pem"):
        with pytest.raises(KafkaAccessError, match="cannot be used") as caught:
            options(Kafka("a:9093", protocol="SSL", ca=ca))
        assert str(ca) in str(caught.value)


def test_a_password_shows_in_no_representation() -> None:
    assert "made-up" not in repr(Kafka("a:9093", protocol="SASL_SSL", username="keepwell", password="made-up"))


async def test_every_bootstrap_server_reaches_the_consumers_by_itself() -> None:
    assert each_server(Kafka("a:9092, b:9092")) == each_server("a:9092,b:9092") == ["a:9092", "b:9092"]
    engine = Engine([], kafka="a:9092,b:9092", clock=RealClock(), instance=None, stop_seconds=1)
    assert engine._broker.specification.url == ["a:9092", "b:9092"]

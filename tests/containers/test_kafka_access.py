"""A Kafka that asks who calls: TLS, names and passwords, and client certificates, by settings alone."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from shared.bus.address import Kafka
from shared.bus.producer import NotSent, Producer, Record
from shared.bus.topics import create_topics
from shared.events import Topic
from shared.protection import Keyring
from tests.containers.alone import Broker, kafka, postgres
from tests.kafka.test_split import process, readiness
from tests.support.bench import eventually
from tests.support.certificates import certificates
from tests.support.databases import PASSWORD as ROLE_PASSWORD
from tests.support.databases import own_url
from tests.support.running import clean_environment, run_command

PASSWORD = "made-up-for-kafka"
SCRAM = "SCRAM-SHA-512"
LISTENERS = {"NAMED": "SASL_SSL", "MUTUAL": "SSL"}


@dataclass(frozen=True)
class Guarded:
    """A Kafka with two guarded doors, and the files with which they are opened."""

    broker: Broker
    files: Path

    def door(self, listener: str, **changes: object) -> Kafka:
        """Return the way in through a listener."""
        named = {"username": "keepwell", "password": PASSWORD} if listener == "NAMED" else {}
        mutual = (
            {} if listener == "NAMED" else {"certificate": self.files / "client.pem", "key": self.files / "client.key"}
        )
        known: dict[str, object] = {"protocol": LISTENERS[listener], "ca": self.files / "ca.pem", **named, **mutual}
        return Kafka(self.broker.at(listener), **(known | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("access")
    files = folder / "certificates"
    certificates(files)
    files.chmod(0o755)
    for parent in folder.parents:
        if parent != Path("/tmp") and parent.is_relative_to("/tmp"):
            parent.chmod(0o755)
    folder.chmod(0o755)
    settings = {
        f"KAFKA_LISTENER_NAME_{listener}_SSL_{name}": value
        for listener in LISTENERS
        for name, value in {
            "KEYSTORE_TYPE": "PEM",
            "KEYSTORE_LOCATION": "/etc/kafka/secrets/server-store.pem",
            "TRUSTSTORE_TYPE": "PEM",
            "TRUSTSTORE_LOCATION": "/etc/kafka/secrets/ca.pem",
            "CLIENT_AUTH": "required" if listener == "MUTUAL" else "none",
        }.items()
    }
    settings |= {
        "KAFKA_SASL_ENABLED_MECHANISMS": SCRAM,
        "KAFKA_LISTENER_NAME_NAMED_SCRAM___SHA___512_SASL_JAAS_CONFIG": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }
    with kafka(folder, LISTENERS, settings, files) as broker:
        tool = ["/opt/kafka/bin/kafka-configs.sh", "--bootstrap-server", broker.at("PLAINTEXT"), "--alter"]
        config = ["--add-config", f"{SCRAM}=[iterations=4096,password={PASSWORD}]"]
        told = broker.container.exec([*tool, *config, "--entity-type", "users", "--entity-name", "keepwell"])
        assert told.exit_code == 0, told.output
        yield Guarded(broker, files)
    shutil.rmtree(files)


@pytest.mark.parametrize("listener", list(LISTENERS))
async def test_topics_are_made_and_events_sent_through_a_guarded_door(guarded: Guarded, listener: str) -> None:
    door = guarded.door(listener)
    await create_topics(door, partitions=2, replication=1, min_in_sync=1, retention_ms=60_000)
    producer = Producer(door)
    try:
        await producer.send([Record(str(Topic.CLINIC), b"key", b"{}", [])])
    finally:
        await producer.close()


@pytest.mark.parametrize(
    "flaw",
    [
        ("NAMED", {"password": "another"}),
        ("NAMED", {"ca": None}),
        ("NAMED", {"protocol": "SASL_PLAINTEXT"}),
        ("MUTUAL", {"certificate": None, "key": None}),
    ],
    ids=["wrong-password", "unknown-authority", "no-tls", "no-certificate"],
)
async def test_nobody_gets_in_with_less(guarded: Guarded, flaw: tuple[str, dict[str, object]]) -> None:
    listener, changes = flaw
    producer = Producer(guarded.door(listener, **changes))
    with pytest.raises(NotSent):
        await producer.send([Record(str(Topic.CLINIC), b"key", b"{}", [])])
    await producer.close()


async def test_a_service_works_on_a_kafka_that_asks_who_calls_by_settings_alone(
    guarded: Guarded, tmp_path: Path
) -> None:
    with postgres() as admin:
        common = {
            "KEEPWELL_KAFKA_BOOTSTRAP_SERVERS": guarded.broker.at("NAMED"),
            "KEEPWELL_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KEEPWELL_KAFKA_CA": str(guarded.files / "ca.pem"),
            "KEEPWELL_KAFKA_SASL_MECHANISM": SCRAM,
            "KEEPWELL_KAFKA_SASL_USERNAME": "keepwell",
            "KEEPWELL_KAFKA_SASL_PASSWORD": PASSWORD,
        }
        own = {f"KEEPWELL_{name}__DATABASE_URL": own_url(admin, name.lower()) for name in ("SCHEDULER", "NOTIFIER")}
        assert ROLE_PASSWORD in own["KEEPWELL_SCHEDULER__DATABASE_URL"]
        migrating = clean_environment(
            KEEPWELL_DATA_DIR=str(tmp_path / "m"), KEEPWELL_DATABASE_URL=admin, **common, **own
        )
        code, output, complaint = await run_command("migrate", "--json", environment=migrating)
        assert code == 0, complaint
        assert json.loads(output)["migrated"]
        alone = {name: own[name] for name in own if "SCHEDULER" in name}
        async with process(tmp_path, "scheduler", **common, **alone, KEEPWELL_KEYS=Keyring.generate()) as url:

            async def ready() -> bool:
                try:
                    return await readiness(url) == (200, [])
                except aiohttp.ClientError:
                    return False

            await eventually(ready, seconds=60)

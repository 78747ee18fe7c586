"""The doctor where a container has one service's role alone, and from outside."""

import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from keepwell.host import infrastructure
from keepwell.host.data_directory import DataDirectory
from shared.database.address import async_url
from shared.database.database_roles import service_url
from shared.events import Topic
from shared.settings import Settings
from tests.support.running import Keepwell, clean_environment, keepwell, run_command


@pytest.fixture(scope="module")
async def clinic() -> AsyncIterator[Keepwell]:
    """A Keepwell on the real clock, with PostgreSQL and Kafka that others can reach too."""
    async with keepwell({}) as running:
        yield running


@pytest.fixture
def elsewhere(clinic: Keepwell, tmp_path: Path) -> dict[str, str]:
    """The environment of a container that has one service's role, beside nobody."""
    directory = DataDirectory(Path(clinic.environment["KEEPWELL_DATA_DIR"]))
    running = directory.running
    assert running.database_url is not None
    secret = infrastructure.password(directory.keyring(Settings()), "assessments")
    own = service_url(running.database_url, "assessments", secret).render_as_string(hide_password=False)
    return clean_environment(
        KEEPWELL_DATA_DIR=str(tmp_path),
        KEEPWELL_KEYS=directory.keys_text(Settings()),
        KEEPWELL_ASSESSMENTS__DATABASE_URL=own,
        KEEPWELL_ASSESSMENTS__URL=clinic.base,
        KEEPWELL_KAFKA_BOOTSTRAP_SERVERS=running.kafka,
        KEEPWELL_PUBLIC_URL=clinic.base,
    )


async def examined(environment: dict[str, str]) -> tuple[int, dict[str, Any]]:
    code, output, complaint = await run_command("doctor", "--json", environment=environment)
    assert output, complaint
    return code, {finding["what"]: finding for finding in json.loads(output)}


async def test_a_container_with_one_role_finds_what_it_can_and_names_what_it_cannot(elsewhere: dict[str, str]) -> None:
    code, found = await examined(elsewhere)
    assert code == 0, found
    assert {"database", "roles", "schema assessments", "topics", "process assessments"} <= set(found)
    assert not any(what.startswith("schema ") and what != "schema assessments" for what in found)
    assert "the secret to sign with is not known here" in found["webhooks"]["detail"]


async def test_a_container_without_keys_is_told_what_that_would_do(elsewhere: dict[str, str]) -> None:
    del elsewhere["KEEPWELL_KEYS"]
    code, found = await examined(elsewhere)
    assert code == 1
    assert "keys of its own" in found["settings"]["detail"]


async def test_topics_that_are_not_as_the_settings_say_are_named_with_both(elsewhere: dict[str, str]) -> None:
    elsewhere |= {"KEEPWELL_KAFKA_PARTITIONS": "16", "KEEPWELL_KAFKA_RETENTION_DAYS": "30"}
    code, found = await examined(elsewhere)
    assert code == 1
    assert "has 4 partitions, KEEPWELL_KAFKA_PARTITIONS says 16" in found["topics"]["detail"]
    assert "keeps events for 7 days, KEEPWELL_KAFKA_RETENTION_DAYS says 30" in found["topics"]["detail"]


async def test_a_public_address_where_somebody_else_answers_is_found(elsewhere: dict[str, str]) -> None:
    elsewhere["KEEPWELL_PUBLIC_URL"] = "http://127.0.0.1:9"
    code, found = await examined(elsewhere)
    assert code == 1
    assert "KEEPWELL_PUBLIC_URL" in found["webhooks"]["remedy"]


async def test_a_doctor_without_database_and_kafka_says_which_settings_to_look_at(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        nowhere = clean_environment(
            KEEPWELL_DATA_DIR=folder,
            KEEPWELL_DATABASE_URL="postgresql://nobody:x@127.0.0.1:9/none",
            KEEPWELL_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9",
        )
        code, found = await examined(nowhere)
    assert code == 1
    assert "KEEPWELL_DATABASE_URL" in found["database clinic"]["remedy"]
    assert "KEEPWELL_KAFKA_BOOTSTRAP_SERVERS" in found["kafka"]["remedy"]


async def test_a_topic_that_is_missing_is_found(clinic: Keepwell, elsewhere: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=elsewhere["KEEPWELL_KAFKA_BOOTSTRAP_SERVERS"])
    await admin.start()
    letters = str(Topic.DEAD_LETTERS)
    await admin.delete_topics([letters])
    try:
        code, found = await examined(elsewhere)
    finally:
        await admin.create_topics([NewTopic(letters, 1, 1, topic_configs={"retention.ms": "-1"})])
        await admin.close()
    assert code == 1
    assert letters in found["topics"]["detail"]


async def test_an_open_restore_is_a_finding(clinic: Keepwell) -> None:
    running = DataDirectory(Path(clinic.environment["KEEPWELL_DATA_DIR"])).running
    assert running.database_url is not None
    engine = create_async_engine(async_url(running.database_url), poolclass=NullPool)
    opened = text(
        "INSERT INTO notifier.restores (backed_up_at, restored_at, forgotten, texts_read_at)"
        " VALUES (now() - interval '1 day', now(), false, now())"
    )
    async with engine.begin() as connection:
        await connection.execute(opened)
    try:
        code, found = await examined(clinic.environment)
        assert code == 1
        assert "keepwell held close" in found["restore"]["remedy"]
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM notifier.restores"))
        await engine.dispose()

"""Tests that know an embedded PostgreSQL and Kafka, on containers instead: nothing changes but settings."""

import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.containers.alone import kafka, postgres
from tests.containers.engine import run

PARTS = (
    "tests/kafka/bus/test_producer.py",
    "tests/kafka/bus/test_relay.py",
    "tests/kafka/test_split.py",
    "tests/integration/shared/test_schemas.py",
    "tests/integration/shared/test_outbox_backlog.py",
    "tests/integration/notifier/test_figures.py",
)


async def test_kafka_and_integration_tests_pass_on_containers_by_settings_alone(tmp_path: Path) -> None:
    with postgres() as database, kafka(tmp_path) as broker:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("KEEPWELL_")}
        named = {"TEST_DATABASE_URL": database, "TEST_KAFKA": broker.at("PLAINTEXT")}
        report = tmp_path / "report.xml"
        command = (sys.executable, "-m", "pytest", "-q", "-x", f"--junitxml={report}", *PARTS)
        ran = await run(*command, environment={**bare, **named}, within=240)
    counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in ET.parse(report).iter("testsuite"):  # noqa: S314 - pytest's own report
        for name in counts:
            counts[name] += int(suite.get(name, 0))
    print(f"on containers: {counts}")
    assert ran.code == 0, ran.output[-6000:]
    assert (counts["failures"], counts["errors"], counts["skipped"]) == (0, 0, 0)
    assert counts["tests"] >= 15

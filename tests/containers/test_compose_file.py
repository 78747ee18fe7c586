"""What `docker compose` makes of the files, without starting anything."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.containers.engine import must, run
from tests.containers.stack import SERVICES, variables

PROFILES = ((), ("sandbox",), ("proxy",), ("observability",), ("sandbox", "proxy", "observability"))
THREE = ("docker-compose.yml", "docker-compose.three-brokers.yml")


async def config(
    tmp_path: Path, *profiles: str, files: tuple[str, ...] = THREE[:1], more: dict[str, str] | None = None
) -> dict[str, Any]:
    command = ["docker", "compose"]
    command += [part for file in files for part in ("--file", file)]
    command += [part for name in profiles for part in ("--profile", name)]
    environment = {**variables(tmp_path / "secrets"), **(more or {})}
    ran = await run(*command, "config", "--format", "json", environment=environment)
    assert (ran.code, ran.errors) == (0, ""), ran.errors
    found: dict[str, Any] = json.loads(ran.output)
    return found


@pytest.mark.parametrize("files", [THREE[:1], THREE], ids=["one-broker", "three-brokers"])
@pytest.mark.parametrize("profiles", PROFILES, ids=lambda names: "+".join(names) or "none")
async def test_the_file_is_clean_with_each_profile(
    tmp_path: Path, profiles: tuple[str, ...], files: tuple[str, ...]
) -> None:
    services = (await config(tmp_path, *profiles, files=files))["services"]
    assert {"postgres", "kafka", "migrate", *SERVICES} <= set(services)
    assert ({"sandbox", "visitors"} <= set(services)) == ("sandbox" in profiles)
    assert ("proxy" in services) == ("proxy" in profiles)
    assert ({"prometheus", "grafana"} <= set(services)) == ("observability" in profiles)


async def test_every_container_is_bounded_hardened_and_reached_from_this_machine_alone(tmp_path: Path) -> None:
    services = (await config(tmp_path, *PROFILES[-1], files=THREE))["services"]
    assert len(services) == 14
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == ("no" if name in {"migrate", "visitors"} else "unless-stopped"), name
        assert service.get("read_only", False) or name.startswith("kafka"), name
        for port in service.get("ports", []):
            assert port["host_ip"] == "127.0.0.1", name


async def test_each_service_has_its_own_database_role_and_no_secret_in_its_environment(tmp_path: Path) -> None:
    services = (await config(tmp_path, "sandbox"))["services"]
    for name in SERVICES:
        environment = services[name]["environment"]
        addresses = {key: value for key, value in environment.items() if "DATABASE_URL" in key}
        assert addresses == {f"KEEPWELL_{name.upper()}__DATABASE_URL_FILE": f"/run/secrets/database_url_{name}"}, name
        assert {f"KEEPWELL_{other.upper()}__URL" for other in SERVICES} <= set(environment)
    words = ("PASSWORD", "TOKEN", "KEYS", "DATABASE_URL")
    for name, service in services.items():
        for key in service.get("environment", {}):
            assert not any(word in key for word in words) or key.endswith("_FILE"), (name, key)


async def test_the_account_goes_to_every_service_and_its_secret_to_the_notifier_alone(tmp_path: Path) -> None:
    live = {
        "KEEPWELL_TWILIO_BASE_URL": "https://api.twilio.com",
        "KEEPWELL_TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "KEEPWELL_TWILIO_FROM": "+12025550100",
        "KEEPWELL_PUBLIC_URL": "https://clinic.example",
    }
    services = (await config(tmp_path, more=live))["services"]
    for name in SERVICES:
        given = services[name]["environment"]
        assert {key: given[key] for key in live} == live, name
        assert ("KEEPWELL_TWILIO_AUTH_TOKEN_FILE" in given) == (name == "notifier")


async def test_a_kafka_and_a_postgresql_of_ones_own_take_the_place_of_the_containers(tmp_path: Path) -> None:
    own = {
        "KEEPWELL_KAFKA_CONTAINERS": "0",
        "KEEPWELL_POSTGRES_CONTAINERS": "0",
        "KEEPWELL_KAFKA_BOOTSTRAP_SERVERS": "broker.example:9093",
        "KEEPWELL_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KEEPWELL_KAFKA_SASL_USERNAME": "keepwell",
    }
    services = (await config(tmp_path, more=own))["services"]
    assert services["kafka"]["deploy"]["replicas"] == 0
    assert services["postgres"]["deploy"]["replicas"] == 0
    for name in (*SERVICES, "migrate"):
        given = services[name]["environment"]
        assert given["KEEPWELL_KAFKA_BOOTSTRAP_SERVERS"] == "broker.example:9093"
        assert given["KEEPWELL_KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"


async def test_three_brokers_keep_three_copies_of_which_two_must_answer(tmp_path: Path) -> None:
    services = (await config(tmp_path, files=THREE))["services"]
    brokers = [services[name] for name in ("kafka", "kafka-2", "kafka-3")]
    assert len({broker["environment"]["KAFKA_NODE_ID"] for broker in brokers}) == 3
    assert len({broker["volumes"][0]["source"] for broker in brokers}) == 3
    assert all(len(broker["volumes"]) == 1 for broker in brokers)
    assert services["migrate"]["environment"]["KEEPWELL_KAFKA_REPLICATION"] == "3"
    assert services["migrate"]["environment"]["KEEPWELL_KAFKA_MIN_INSYNC"] == "2"
    for name in (*SERVICES, "migrate"):
        servers = services[name]["environment"]["KEEPWELL_KAFKA_BOOTSTRAP_SERVERS"]
        assert servers == "kafka:9092,kafka-2:9092,kafka-3:9092"


async def test_secrets_are_made_once_and_for_nobody_else_on_the_machine(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    await must("deploy/secrets.sh", str(folder))
    first = {file.name: file.read_text() for file in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(set(first.values()) - {"\n"}) == len(first) - 3
    again = await must("deploy/secrets.sh", str(folder))
    assert again == ""
    assert {file.name: file.read_text() for file in folder.iterdir()} == first
    files = {secret["file"] for secret in (await config(tmp_path, *PROFILES[-1]))["secrets"].values()}
    assert files == {str(folder / name) for name in first}

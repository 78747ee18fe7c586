"""A scaled stack at its ordinary work."""

import json

import pytest

from shared.bus.tables import SHARDS
from tests.containers.conftest import SCALE
from tests.containers.engine import inspect
from tests.containers.life import clinic_of, handled, number, shards, together
from tests.containers.stack import SERVICES, Stack, until


async def test_every_container_is_healthy_and_each_service_runs_as_often_as_asked(stack: Stack) -> None:
    for name in (*SERVICES, "postgres", "kafka", "sandbox"):
        found = await stack.containers(name)
        assert len(found) == SCALE.get(name, 1), name
        for container in found:
            assert (await inspect(container))["State"]["Health"]["Status"] == "healthy", name
    (migrate,) = await stack.containers("migrate")
    assert (await inspect(migrate))["State"]["ExitCode"] == 0


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_sees_its_own_secrets_and_nobody_elses(stack: Stack, service: str) -> None:
    (container, *_) = await stack.containers(service)
    known = await inspect(container)
    seen = {
        mount["Destination"].rpartition("/")[2] for mount in known["Mounts"] if "/run/secrets/" in mount["Destination"]
    }
    own = {"keys", "kafka_sasl_password", "otlp_headers", f"database_url_{service}"}
    assert seen == own | ({"twilio_auth_token", "smtp_password"} if service == "notifier" else set())
    spoken = " ".join(known["Config"]["Env"])
    assert "postgresql://" not in spoken
    assert known["HostConfig"]["ReadonlyRootfs"]
    assert known["HostConfig"]["CapDrop"] == ["ALL"]
    assert any(option.startswith("no-new-privileges") for option in known["HostConfig"]["SecurityOpt"])


async def test_made_up_patients_are_enrolled_once_however_often_the_stack_is_brought_up(stack: Stack) -> None:
    async with clinic_of(stack) as clinic:
        known = await clinic.caller.get("/patients", limit="200")
        visitors = [one for one in known["items"] if (one["external_id"] or "").startswith("visitor-")]
        assert len(visitors) == 3
        checkins = [await clinic.caller.get(f"/patients/{one['id']}/checkins") for one in visitors]
        assert any(one["items"] for one in checkins)
    again = await stack.compose(
        "run", "--rm", "--no-TTY", "--no-deps", "visitors", "populate", "--patients", "3", "--json"
    )
    assert json.loads(again.splitlines()[-1]) == {"enrolled": 0}


async def test_a_service_can_read_no_other_services_tables(stack: Stack) -> None:
    probe = (
        "import asyncio, asyncpg, pathlib\n"
        "async def main():\n"
        "    url = pathlib.Path('/run/secrets/database_url_notifier').read_text().strip()\n"
        "    connection = await asyncpg.connect(url)\n"
        "    print(await connection.fetchval('SELECT current_user'))\n"
        "    try:\n"
        "        await connection.fetchval('SELECT count(*) FROM clinic.patients')\n"
        "    except asyncpg.InsufficientPrivilegeError:\n"
        "        print('refused')\n"
        "asyncio.run(main())\n"
    )
    said = await stack.compose("exec", "--no-TTY", "notifier", "python", "-c", probe)
    assert said.split() == ["keepwell_notifier", "refused"]


async def test_a_reminder_reaches_the_handset_and_stop_ends_it(stack: Stack) -> None:
    async with clinic_of(stack) as clinic:
        agrees, stops = number(), number()
        first, second = await together(clinic.enrol(agrees), clinic.enrol(stops))
        due = await clinic.next_wave(15)
        await together(clinic.book(first, due), clinic.book(second, due))
        await clinic.text(stops, "STOP")
        (reminder,) = await clinic.wait_for_texts(agrees, 1, seconds=120)
        assert reminder.at >= due
        await clinic.quiet()
        assert len(await clinic.texts(agrees)) == 1
        assert await clinic.texts(stops) == []
        messages = await clinic.caller.get(f"/patients/{second}/messages")
        assert [one["state"] for one in messages["items"] if one["purpose"] == "reminder"] == ["withheld"]


async def test_copies_of_a_service_share_its_events_and_its_outbox(stack: Stack) -> None:
    async with clinic_of(stack) as clinic:
        patients = await together(*(clinic.enrol(f"+1213555{index:04d}") for index in range(40)))
        due = await clinic.next_wave(3600)
        await together(*(clinic.book(patient, due) for patient in patients))
        await clinic.quiet()
    for service, copies in SCALE.items():
        containers = await stack.containers(service)
        work = [await handled(stack, container) for container in containers]
        print(f"{service}: events handled by copy {work}")
        assert len(work) == copies
        assert all(work), (service, work)

        async def shared(containers: list[str] = containers) -> bool:
            owned = [await shards(stack, container) for container in containers]
            return sum(owned) == SHARDS and all(owned)

        await until(shared, seconds=20)


async def test_the_console_answers_with_what_other_containers_know(stack: Stack) -> None:
    async with clinic_of(stack) as clinic:
        rules = await clinic.caller.get("/rules")
        protocols = await clinic.caller.get("/protocols")
        instruments = await clinic.caller.get("/instruments")
    assert rules["items"]
    assert protocols["items"]
    assert instruments["items"]


@pytest.mark.parametrize("service", SERVICES)
async def test_the_doctor_finds_nothing_wrong_inside_a_healthy_container(stack: Stack, service: str) -> None:
    told = await stack.keepwell(service, "doctor", "--json")
    findings = json.loads(told.output)
    assert [one for one in findings if not one["well"]] == []
    assert told.code == 0


async def test_nothing_has_become_a_dead_letter(stack: Stack) -> None:
    told = await stack.keepwell("clinic", "dead-letters", "list", "--json")
    assert (told.code, told.output.strip()) == (0, "[]")

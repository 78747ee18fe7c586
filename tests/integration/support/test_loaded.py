"""A program that starts loaded is, to whoever started it, no other than one that loads."""

import asyncio
import signal
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

import psutil
import pytest

from tests.support.loaded import start
from tests.support.running import COMMAND, clean_environment

WRONG = clean_environment(KEEPWELL_HTTP_PORT="eighty")
WEB_SERVER = (sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1")


async def test_it_says_and_ends_as_one_that_loads() -> None:
    said = set()
    for loaded in (True, False):
        process = await start((*COMMAND, "up"), env=WRONG, stdout=PIPE, stderr=PIPE, loaded=loaded)
        output, errors = await process.communicate()
        said.add((process.returncode, output, errors))
    ((code, output, errors),) = said
    assert (code, output) == (2, b"")
    assert b"KEEPWELL_HTTP_PORT is 'eighty'" in errors


async def test_output_and_errors_may_share_a_file(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = await start((*COMMAND, "up"), env=WRONG, stdout=log, stderr=STDOUT)
        assert await process.wait() == 2
    assert "KEEPWELL_HTTP_PORT is 'eighty'" in (tmp_path / "log").read_text()


async def test_it_has_the_variables_that_it_was_given_and_no_others() -> None:
    program = (sys.executable, "-m", "timeit", "-n1", "-r1", "-s", "import os", "print(sorted(os.environ))")
    process = await start(program, env={"ONE": "1", "TWO": "2"}, stdout=PIPE, stderr=DEVNULL)
    output, _ = await process.communicate()
    assert output.decode().splitlines()[0] == "['ONE', 'TWO']"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_signal_ends_it_and_nothing_is_left(number: signal.Signals) -> None:
    process = await start(WEB_SERVER, env=clean_environment(), stdout=PIPE)
    other = await start(WEB_SERVER, env=clean_environment(), stdout=PIPE)
    assert process.pid != other.pid
    assert psutil.Process(process.pid).is_running()
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 30) == process.returncode == -number
    assert not psutil.pid_exists(process.pid)
    assert other.returncode is None
    other.kill()
    assert await other.wait() == -signal.SIGKILL


async def test_other_modules_than_ours_are_loaded_anew(tmp_path: Path) -> None:
    (tmp_path / "keepwell").mkdir()
    (tmp_path / "keepwell" / "__init__.py").touch()
    (tmp_path / "keepwell" / "__main__.py").write_text("print('of before')")
    variables = clean_environment(PYTHONPATH=str(tmp_path), PYTHONSAFEPATH="1")
    process = await start((sys.executable, "-m", "keepwell"), env=variables, stdout=PIPE)
    output, _ = await process.communicate()
    assert output == b"of before\n"

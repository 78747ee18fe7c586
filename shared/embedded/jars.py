"""Kafka's jars: fetched once per user, checked at every start.

`python -m shared.embedded.jars` fetches them ahead of the first start and practises that start (see `quick_start`);
with `--update` it resolves them anew first and writes the committed list (see `jar_list`).
"""

import argparse
import asyncio
import fcntl
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Protocol

import platformdirs

from shared.embedded.errors import ChecksumError, DownloadError
from shared.embedded.jar_list import LIST, ROOTS, Jar, committed, digest, render
from shared.embedded.progress import Progress, Report, silent
from shared.embedded.wheels import java, require_jgo

if TYPE_CHECKING:
    from jgo.maven import MavenContext

REPOSITORY: Final = "https://repo.maven.apache.org/maven2"

_AT_ONCE: Final = 6
_TRIES: Final = 3
_TIMEOUT: Final = 30
"""Seconds without a byte until a download counts as failed."""


class Fetch(Protocol):
    """How one jar comes here: into a folder laid out as a Maven repository. Replaced in tests."""

    def __call__(self, jar: Jar, into: Path) -> Path:
        """Return the file that was written."""


def cache_folder() -> Path:
    """Return the folder of this user's jars, laid out as a Maven repository."""
    return platformdirs.user_cache_path("keepwell") / "kafka"


def fetch_jars(progress: Report | None = None, *, cache: Path | None = None, fetch: Fetch | None = None) -> list[Path]:
    """Return Kafka's jars, each checked against the committed list; fetches those that are missing or damaged.

    Blocks; call it in a thread from async code. Several processes may call it at once.

    Raises:
        NotInstalledError: if jars are missing and the resolver's wheel is too.
        DownloadError: if one cannot be fetched.
        ChecksumError: if one that was fetched is not what was reviewed; it is not kept.
    """
    report = progress or silent
    folder = cache or cache_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    jars = committed()
    with _alone(folder):
        missing = [jar for jar in jars if not _is_good(folder / jar.path, jar)]
        if missing:
            _fill(folder, missing, fetch or _by_jgo, report)
    return [folder / jar.path for jar in jars]


def _is_good(file: Path, jar: Jar) -> bool:
    return file.exists() and digest(file) == jar.sha256


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for other processes that are fetching into the same cache."""
    with (folder / "fetch.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill(folder: Path, missing: Sequence[Jar], fetch: Fetch, report: Report) -> None:
    """Fetch into a folder aside; only what has been checked gets its name."""
    report(Progress("Fetching Kafka, once", 0, len(missing)))
    with TemporaryDirectory(prefix="fetching-", dir=folder) as aside, ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [pool.submit(_fetch_one, jar, Path(aside), folder, fetch) for jar in missing]
        try:
            for done, one in enumerate(as_completed(running), start=1):
                one.result()
                report(Progress("Fetching Kafka, once", done, len(missing)))
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch_one(jar: Jar, aside: Path, folder: Path, fetch: Fetch) -> None:
    file = fetch(jar, aside)
    found = digest(file)
    if found != jar.sha256:
        raise ChecksumError(jar.coordinate, expected=jar.sha256, found=found)
    target = folder / jar.path
    target.parent.mkdir(parents=True, exist_ok=True)
    file.replace(target)


def _context(repository: Path) -> "MavenContext":
    require_jgo()
    from jgo.maven import MavenContext  # noqa: PLC0415 - a wheel that may be absent

    return MavenContext(repo_cache=repository, local_repos=[], remote_repos={"central": REPOSITORY}, timeout=_TIMEOUT)


def _by_jgo(jar: Jar, into: Path) -> Path:
    context = _context(into)
    artifact = context.create_dependency(jar.coordinate).artifact
    for left in reversed(range(_TRIES)):
        try:
            return Path(artifact.resolve())
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors, "not found" is a RuntimeError
            (into / jar.path).unlink(missing_ok=True)
            if not left:
                raise DownloadError(f"{jar.coordinate} from {REPOSITORY}", str(error)) from error
    raise AssertionError("a last try returns or raises")


def resolve_anew(report: Report) -> list[Jar]:
    """Resolve the roots, fetch what they need from the repository, and return it as it came.

    Where two roots want two versions of one artifact, the first root, Kafka, decides.

    Raises:
        DownloadError: if something cannot be fetched.
    """
    with TemporaryDirectory(prefix="keepwell-jars-") as aside:
        context = _context(Path(aside))
        chosen: dict[tuple[str, str], Jar] = {}
        try:
            for root in ROOTS:
                report(Progress(f"Resolving {root}"))
                direct, further = context.resolver.resolve([context.create_dependency(root)])
                needed = [*direct, *(one for one in further if one.scope in {"compile", "runtime"})]
                for one in needed:
                    if (one.groupId, one.artifactId) not in chosen:
                        file = Path(one.artifact.resolve())
                        path = PurePosixPath(file.relative_to(aside).as_posix())
                        chosen[one.groupId, one.artifactId] = Jar(path, digest(file))
        except (OSError, RuntimeError) as error:
            raise DownloadError(f"{', '.join(ROOTS)} from {REPOSITORY}", str(error)) from error
    return list(chosen.values())


def _tell(progress: Progress) -> None:
    if progress.done % 10 and progress.done != progress.of:
        return
    count = f": {progress.done} of {progress.of}" if progress.of else ""
    sys.stdout.write(f"{progress.doing}{count}\n")


def main() -> None:
    """Fetch Kafka's jars ahead of its first start, and practise that start."""
    from shared.embedded.kafka_broker import Java  # noqa: PLC0415 - stands on this module
    from shared.embedded.quick_start import practise  # noqa: PLC0415 - stands on this module

    parser = argparse.ArgumentParser(prog="python -m shared.embedded.jars", description=main.__doc__)
    parser.add_argument("--update", action="store_true", help=f"resolve anew and rewrite {LIST.name}")
    if parser.parse_args().update:
        jars = resolve_anew(_tell)
        LIST.write_text(render(jars))
        _tell(Progress(f"Wrote {len(jars)} lines to {LIST}"))
    files = fetch_jars(_tell)
    asyncio.run(practise(Java(java(), tuple(files)), _tell))
    _tell(Progress(f"{len(files)} jars are in {cache_folder()}"))


if __name__ == "__main__":
    main()

import threading
from pathlib import Path, PurePosixPath

import pytest

from shared.embedded import jars
from shared.embedded.errors import ChecksumError, DownloadError
from shared.embedded.jar_list import KAFKA_VERSION, Jar, committed, digest, parse, render
from shared.embedded.jars import fetch_jars

CONTENT = b"a jar"


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Jar]:
    sample = tmp_path / "sample"
    sample.write_bytes(CONTENT)
    found = [Jar(PurePosixPath(f"org/x/{name}/1/{name}-1.jar"), digest(sample)) for name in ("one", "two")]
    monkeypatch.setattr(jars, "committed", lambda: tuple(found))
    return found


class Repository:
    """Stands in for Maven's."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, jar: Jar, into: Path) -> Path:
        with self._lock:
            self.asked.append(jar.coordinate)
        file = into / jar.path
        file.parent.mkdir(parents=True)
        file.write_bytes(self.content)
        return file


def test_what_is_missing_is_fetched_once(tmp_path: Path, listed: list[Jar]) -> None:
    repository = Repository()
    seen: list[tuple[int, int]] = []
    files = fetch_jars(lambda step: seen.append((step.done, step.of)), cache=tmp_path / "cache", fetch=repository)
    assert [file.read_bytes() for file in files] == [CONTENT, CONTENT]
    assert sorted(repository.asked) == ["org.x:one:1", "org.x:two:1"]
    assert seen == [(0, 2), (1, 2), (2, 2)]
    fetch_jars(cache=tmp_path / "cache", fetch=repository)
    assert len(repository.asked) == 2


def test_a_file_with_another_checksum_is_refused_and_not_kept(tmp_path: Path, listed: list[Jar]) -> None:
    with pytest.raises(ChecksumError, match=r"org\.x:(one|two):1 has SHA-256") as refused:
        fetch_jars(cache=tmp_path / "cache", fetch=Repository(b"something else"))
    assert refused.value.expected == listed[0].sha256
    assert list((tmp_path / "cache").rglob("*.jar")) == []


def test_a_damaged_file_in_the_cache_is_fetched_again(tmp_path: Path, listed: list[Jar]) -> None:
    repository = Repository()
    files = fetch_jars(cache=tmp_path / "cache", fetch=repository)
    files[0].write_bytes(b"damaged")
    fetch_jars(cache=tmp_path / "cache", fetch=repository)
    assert files[0].read_bytes() == CONTENT
    assert len(repository.asked) == 3


def test_a_failed_download_keeps_what_came_before_and_names_the_remedy(tmp_path: Path, listed: list[Jar]) -> None:
    def half(jar: Jar, into: Path) -> Path:
        if "two" in jar.coordinate:
            raise DownloadError(jar.coordinate, "no route to host")
        return Repository()(jar, into)

    with pytest.raises(DownloadError, match=r"org\.x:two:1.*no route.*KEEPWELL_KAFKA_BOOTSTRAP_SERVERS"):
        fetch_jars(cache=tmp_path / "cache", fetch=half)
    assert (tmp_path / "cache" / listed[0].path).exists()


def test_the_committed_list_holds_one_kafka_of_the_pinned_version() -> None:
    kafka = [jar for jar in committed() if jar.coordinate.startswith("org.apache.kafka:")]
    assert {jar.coordinate.rpartition(":")[2] for jar in kafka} == {KAFKA_VERSION}
    assert f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}" in {jar.coordinate for jar in kafka}


def test_a_list_is_read_as_it_was_written() -> None:
    assert parse(render(committed())) == committed()


def test_a_line_that_is_no_digest_and_path_is_refused() -> None:
    with pytest.raises(ValueError, match="Not a line"):
        parse("abc  org/x/one/1/one-1.jar\n")

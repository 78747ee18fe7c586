from pathlib import Path

import pytest

from shared.embedded import quick_start
from shared.embedded.kafka_broker import Java
from shared.embedded.quick_start import archive, with_archive


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Java:
    monkeypatch.setattr(quick_start, "cache_folder", lambda: tmp_path)
    (tmp_path / "release").write_text('JAVA_VERSION="25"')
    return Java(tmp_path / "bin" / "java", (Path("/one.jar"), Path("/two.jar")))


def test_without_a_practised_start_java_is_run_as_ever(java: Java) -> None:
    assert with_archive(java) == java


def test_a_practised_start_is_used(java: Java) -> None:
    file = archive(java.program, java.jars)
    file.write_bytes(b"")
    assert with_archive(java).options == (f"-XX:AOTCache={file}",)


def test_a_start_practised_with_another_java_or_other_jars_is_not_used(java: Java) -> None:
    before = archive(java.program, java.jars)
    assert archive(java.program, java.jars[:1]) != before
    (java.program.parent.parent / "release").write_text('JAVA_VERSION="26"')
    assert archive(java.program, java.jars) != before

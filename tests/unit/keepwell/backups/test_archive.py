from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from keepwell.backups import archive
from keepwell.backups.archive import Manifest
from keepwell.backups.errors import BackupError
from keepwell.backups.making import keys_check
from keepwell.backups.restoring import check
from shared.bus.producer import Record
from shared.protection import Keyring
from shared.settings import SERVICES

AT = datetime(2026, 12, 1, 2, tzinfo=UTC)
OLD, OTHER = Keyring.generate("k1"), Keyring.generate("k1")
RECORD = Record("keepwell.clinic", b"key", b'{"a": 1}', [("ce_id", b"1"), ("odd", b"\xff")])


def manifest(keys: str = OLD) -> Manifest:
    keyring = Keyring.from_text(keys)
    return Manifest(
        version="0.1.0",
        backed_up_at=AT,
        taken_at=AT,
        revisions=dict.fromkeys(SERVICES, "0001"),
        postgres=18,
        pg_dump=18,
        cluster="c",
        ends={"keepwell.clinic": {"0": 7, "1": 0}},
        events=1,
        keys=keyring.ids,
        keys_check=keys_check(keyring),
        clinic={"id": "x", "login": "clinician"},
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    members = tmp_path / "members"
    members.mkdir()
    (members / archive.DUMP).write_bytes(b"PGDMP" * 1000)
    archive.write_records(members / archive.EVENTS, [RECORD, RECORD._replace(key=None, value=None)])
    archive.write(tmp_path / "clinic.backup", manifest(), members)
    return tmp_path / "clinic.backup"


def unpacked(file: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    archive.read(file, folder)
    return folder


def test_what_was_written_is_read_again_byte_for_byte(file: Path, tmp_path: Path) -> None:
    folder = unpacked(file, tmp_path)
    first, second = archive.read_records(folder / archive.EVENTS)
    assert first == RECORD
    assert (second.key, second.value) == (None, None)
    assert (folder / archive.DUMP).read_bytes() == b"PGDMP" * 1000


def test_the_manifest_says_what_it_said(file: Path, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    found = archive.read(file, tmp_path / "x")
    assert replace(found, members={}) == manifest()
    assert found.offsets() == {TopicPartition("keepwell.clinic", 0): 7, TopicPartition("keepwell.clinic", 1): 0}


def test_only_its_owner_may_read_a_backup(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", [0.3, 0.9])
def test_a_byte_that_changed_is_found(file: Path, tmp_path: Path, place: float) -> None:
    whole = bytearray(file.read_bytes())
    start = whole.index(b"PGDMP" * 100)
    whole[start + int(4000 * place)] ^= 1
    file.write_bytes(whole)
    with pytest.raises(BackupError, match="damaged"):
        unpacked(file, tmp_path)


def test_a_file_that_was_cut_off_is_found(file: Path, tmp_path: Path) -> None:
    file.write_bytes(file.read_bytes()[:-11_000])
    with pytest.raises(BackupError, match=r"damaged|no backup"):
        unpacked(file, tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\0" * 20_480])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(BackupError, match="no backup"):
        unpacked(tmp_path / "x", tmp_path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no such file"):
        unpacked(tmp_path / "nothing", tmp_path)


def test_other_keys_are_refused_though_their_ids_are_the_same() -> None:
    with pytest.raises(BackupError, match="the oldest is another one"):
        check(manifest(), Keyring.from_text(OTHER))


def test_keys_that_lack_one_of_the_backup_are_refused() -> None:
    both = f"{OLD},{Keyring.generate('k2')}"
    with pytest.raises(BackupError, match="it lacks k2"):
        check(manifest(both), Keyring.from_text(OLD))


def test_a_key_more_is_no_harm() -> None:
    check(manifest(), Keyring.from_text(f"{OLD},{Keyring.generate('k2')}"))


def test_a_backup_of_a_newer_version_is_refused() -> None:
    newer = replace(manifest(), revisions=dict.fromkeys(SERVICES, "9999"))
    with pytest.raises(BackupError, match="newer Keepwell"):
        check(newer, Keyring.from_text(OLD))


def test_the_check_of_the_keys_tells_nothing_of_them() -> None:
    assert OLD.partition(":")[2] not in manifest().json()

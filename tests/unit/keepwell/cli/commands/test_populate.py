from pathlib import Path

import pytest

from keepwell.cli.commands.populate import populate
from keepwell.host.data_directory import DataDirectory
from shared.settings import Settings, SettingsError

LIVE = {
    "KEEPWELL_SANDBOX__ENABLED": "true",
    "KEEPWELL_TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "KEEPWELL_PUBLIC_URL": "https://clinic.example",
}


async def test_made_up_patients_are_refused_where_texts_reach_real_phones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LIVE.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="real phones"):
        await populate(DataDirectory(tmp_path), Settings(), patients=3, seed=1, as_json=True)


async def test_a_data_directory_without_a_clinic_is_not_populated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no clinic"):
        await populate(DataDirectory(tmp_path), Settings(), patients=3, seed=1, as_json=True)

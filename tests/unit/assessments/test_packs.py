import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from services.assessments.described import InstrumentBrief
from services.assessments.model.instrument import InstrumentError
from services.assessments.model.rules import with_bands
from services.assessments.packs import FOLDER, PINS, Packs, UnknownInstrumentError

PHQ9_ITEM_CODES = (
    "44250-9",
    "44255-8",
    "44259-0",
    "44254-1",
    "44251-7",
    "44258-2",
    "44252-5",
    "44253-3",
    "44260-8",
)


def pins_of(pack: Path) -> dict[str, str]:
    lines = (pack / PINS).read_text(encoding="ascii").splitlines()
    return {name: pin for pin, name in (line.split() for line in lines)}


@pytest.mark.parametrize("pack", sorted(file.parent for file in FOLDER.rglob("pack.toml")), ids=str)
def test_every_file_of_every_pack_is_pinned(pack: Path) -> None:
    assert set(pins_of(pack)) == {file.name for file in pack.iterdir()} - {PINS}


def test_the_pinned_texts_of_the_phq_9_are_these() -> None:
    pins = pins_of(FOLDER / "phq-9/1")
    assert pins["en.toml"] == "00a13ef338e56a031205fd18fdab5ccb277ffa6eb85a00d97f4b03900776f4ee"
    assert pins["es.toml"] == "13b6f134d39cb56533cc0d6d723f35e1b1932c68cc2eded80a06d814e7032cb8"


def test_a_pack_that_nobody_pinned_stops_the_start(tmp_path: Path) -> None:
    copy = shutil.copytree(FOLDER, tmp_path / "packs")
    (copy / "phq-9/1" / PINS).unlink()
    with pytest.raises(InstrumentError, match=r"phq-9/1 has no SHA256SUMS\. Write it with `sha256sum"):
        Packs.load(copy)


def test_a_changed_letter_stops_the_start(tmp_path: Path) -> None:
    copy = shutil.copytree(FOLDER, tmp_path / "packs")
    english = copy / "phq-9/1/en.toml"
    english.write_text(english.read_text(encoding="utf-8").replace("or hopeless", "and hopeless"), encoding="utf-8")
    with pytest.raises(InstrumentError, match=r"phq-9/1/en\.toml is not the pinned text"):
        Packs.load(copy)


def test_the_phq_9_carries_only_the_verified_codes() -> None:
    phq9 = Packs.load().get("phq-9")
    assert (phq9.loinc_panel, phq9.loinc_total) == ("44249-1", "44261-6")
    assert tuple(item.loinc for item in phq9.required) == PHQ9_ITEM_CODES
    assert phq9.scales["frequency"].loinc == ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")
    difficulty = phq9.item("difficulty")
    assert difficulty is not None
    assert difficulty.loinc is None


def test_the_phq_9_keeps_its_notice_in_both_languages() -> None:
    wording = Packs.load().get("phq-9").wording
    assert wording["en"].notice.endswith("No permission required to reproduce, translate, display or distribute.")
    assert wording["es"].notice.endswith("No se requiere permiso para reproducir, traducir, presentar o distribuir.")
    assert all("Spitzer" in words.notice and "Pfizer" in words.notice for words in wording.values())


def test_nearly_every_day_weighs_three() -> None:
    phq9 = Packs.load().get("phq-9")
    texts = dict(zip(phq9.wording["en"].scales["frequency"], phq9.scales["frequency"].values, strict=True))
    assert texts["Nearly every day"] == 3


def test_our_own_check_has_no_codes_no_bands_and_says_what_it_is() -> None:
    own = Packs.load().get("post-session")
    assert not own.validated
    assert not own.bands
    assert own.loinc_panel is None
    assert all(item.loinc is None for item in own.items)
    assert "not a validated instrument" in own.wording["en"].notice
    assert "No son un instrumento validado" in own.wording["es"].notice


def test_the_phq_9_is_not_meant_for_the_first_days_after_a_session() -> None:
    packs = Packs.load()
    assert packs.get("phq-9").first_day == 7
    assert packs.get("post-session").first_day == 1


def test_an_unknown_instrument_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownInstrumentError, match="no instrument 'gad-2'; there are"):
        Packs.load().get("gad-2")


def test_an_instrument_says_its_name_its_range_and_which_end_is_the_good_one() -> None:
    phq9, check = (InstrumentBrief.of_instrument(Packs.load().get(one)) for one in ("phq-9", "post-session"))
    assert (phq9.name, phq9.lowest, phq9.highest, phq9.better, phq9.of) == ("PHQ-9", 0, 27, "lower", None)
    assert [(band.lowest, band.highest) for band in phq9.bands] == [(0, 4), (5, 9), (10, 14), (15, 19), (20, 27)]
    assert (check.name, check.lowest, check.highest, check.better) == ("Post-session check", 0, 10, "higher")
    assert (check.of, check.bands, check.marks) == ("mood", (), (0, 5))


def test_the_bands_stand_in_the_pack_alone_and_are_a_rule_in_its_figures() -> None:
    rule = next(rule for rule in with_bands(Packs.load().newest) if rule.id == "phq-9-bands")
    assert rule.text == "PHQ-9: 0-4 minimal, 5-9 mild, 10-14 moderate, 15-19 moderately severe, 20-27 severe."
    assert (rule.version, rule.name, rule.applies_to) == (1, "PHQ-9 bands", "PHQ-9 scores")
    assert rule.source_url.startswith("https://after30.eu/")
    assert not rule.needs_signature
    root = FOLDER.parent.parent.parent
    named = {
        file.relative_to(root).as_posix()
        for package in ("keepwell", "services", "shared")
        for file in (root / package).rglob("*")
        if file.suffix in {".py", ".toml", ".html"} and "moderately severe" in file.read_text(encoding="utf-8")
    }
    assert named == {"services/assessments/packs/phq-9/1/pack.toml"}


def test_bands_of_which_nobody_says_the_source_are_refused() -> None:
    with pytest.raises(InstrumentError, match="bands and their source go together"):
        replace(Packs.load().get("phq-9"), band_source=None)

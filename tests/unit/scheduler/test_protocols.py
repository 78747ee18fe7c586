import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from services.scheduler.model.catalogue import IV_KETAMINE_1, IV_KETAMINE_2, PROTOCOLS, exactly, newest
from services.scheduler.model.protocols import Position, Protocol, Provenance, Series, UnknownProtocolError

SOURCE: Final[Provenance] = IV_KETAMINE_1.series[0].provenance
CONSOLIDATION: Final = Series("consolidation", (0, 7, 14, 21), SOURCE, after_days=7)


def with_consolidation() -> Protocol:
    return replace(IV_KETAMINE_2, series=(*IV_KETAMINE_2.series, CONSOLIDATION))


def test_the_induction_is_six_sessions_over_three_weeks_and_not_six_in_each() -> None:
    (induction,) = IV_KETAMINE_1.series
    assert induction.sessions == 6
    assert induction.days[-1] < 21


def test_the_gaps_of_the_induction_alternate() -> None:
    assert [IV_KETAMINE_1.gap_after(n) for n in range(1, 6)] == [3, 4, 3, 4, 3]


@pytest.mark.parametrize("attended", [0, 6, 7, -1])
def test_outside_the_series_there_is_no_gap(attended: int) -> None:
    with pytest.raises(ValueError, match="no next session"):
        IV_KETAMINE_1.gap_after(attended)


def test_every_rule_names_an_https_or_http_source_and_a_grade() -> None:
    for protocol in PROTOCOLS:
        rules = (
            *(phase.provenance for phase in protocol.phases),
            *(phase.window.provenance for phase in protocol.phases if phase.window),
            protocol.maintenance.ladder_provenance,
            *protocol.cadence.provenance,
        )
        assert all(rule.source_url.startswith("http") and rule.grade for rule in rules)
        assert len({rule.id for rule in rules}) == len(rules)


def test_ids_and_versions_are_unique() -> None:
    assert len({(protocol.id, protocol.version) for protocol in PROTOCOLS}) == len(PROTOCOLS)


def test_a_new_plan_takes_the_newest_version() -> None:
    versions = {protocol.version: protocol for protocol in PROTOCOLS if protocol.id == "iv-ketamine"}
    assert len(versions) > 1
    assert newest("iv-ketamine") is versions[max(versions)]


def test_a_running_plan_finds_its_own_version() -> None:
    assert exactly("iv-ketamine", 1) is IV_KETAMINE_1
    assert IV_KETAMINE_1.cadence.measures is None


def test_an_unknown_protocol_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnknownProtocolError, match=r"'lsd'.*iv-ketamine"):
        newest("lsd")
    with pytest.raises(UnknownProtocolError, match="iv-ketamine version 9"):
        exactly("iv-ketamine", 9)


@pytest.mark.parametrize("days", [(), (1, 2), (0, 3, 3), (0, 4, 2)])
def test_a_series_whose_days_do_not_rise_from_zero_is_refused(days: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="begin with 0 and rise"):
        Series("induction", days, SOURCE)


def test_a_series_that_begins_before_the_one_before_it_has_ended_is_refused() -> None:
    with pytest.raises(ValueError, match="begins 0 days after"):
        replace(CONSOLIDATION, after_days=0)


def test_a_protocol_without_a_series_or_with_two_phases_of_one_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no series"):
        replace(IV_KETAMINE_2, series=())
    with pytest.raises(ValueError, match="two phases named 'maintenance'"):
        replace(IV_KETAMINE_2, series=(*IV_KETAMINE_2.series, replace(CONSOLIDATION, name="maintenance")))


def test_each_session_lies_in_the_phase_whose_turn_it_is() -> None:
    protocol = with_consolidation()
    induction, consolidation, maintenance = protocol.phases
    assert [protocol.position(attended) for attended in (0, 5, 6, 9, 10, 11)] == [
        Position(induction, 1),
        Position(induction, 6),
        Position(consolidation, 1),
        Position(consolidation, 4),
        Position(maintenance, 1),
        Position(maintenance, 2),
    ]
    assert [protocol.position(attended).sessions for attended in (0, 6, 10)] == [6, 4, None]


def test_the_gaps_of_each_series_follow_each_other() -> None:
    assert [with_consolidation().gap_after(n) for n in range(1, 10)] == [3, 4, 3, 4, 3, 7, 7, 7, 7]


def test_a_ladder_that_falls_is_refused() -> None:
    with pytest.raises(ValueError, match="A ladder rises"):
        replace(IV_KETAMINE_1.maintenance, ladder=(28, 14))


def test_a_first_interval_off_the_ladder_is_refused() -> None:
    with pytest.raises(ValueError, match="is no rung"):
        replace(IV_KETAMINE_1.maintenance, interval_days=30)


def test_a_ladder_stands_in_the_catalogue_alone() -> None:
    root = Path(__file__).parent.parent.parent.parent
    steps = re.compile(r"7, 14, 21, 28")
    found = {
        file.relative_to(root).as_posix()
        for package in ("keepwell", "services", "shared")
        for file in (root / package).rglob("*.py")
        if steps.search(file.read_text(encoding="utf-8"))
    }
    assert found == {"services/scheduler/model/catalogue.py"}

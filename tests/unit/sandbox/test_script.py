"""What becomes of a text, and that it follows from the seed alone."""

from datetime import UTC, datetime, timedelta

import pytest

from services.sandbox.model.profiles import CHANCES, Fault, Mark, Profile
from services.sandbox.model.script import Status, fault_of, marks_of, write_script

AT = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
NUMBER = "+12125550123"
KEYS = [f"text {number}" for number in range(2000)]


def scripts(profile: Profile, seed: int, keys: list[str]) -> dict[str, str]:
    return {
        key: write_script(profile, seed, NUMBER, key, marks_of(profile, seed, NUMBER, key)).model_dump_json()
        for key in keys
    }


@pytest.mark.parametrize("profile", Profile)
def test_the_same_seed_writes_the_same_scripts_in_any_order(profile: Profile) -> None:
    assert scripts(profile, 7, KEYS[:300]) == scripts(profile, 7, KEYS[:300][::-1])


def test_another_seed_writes_other_scripts() -> None:
    assert scripts(Profile.ROUGH, 7, KEYS[:300]) != scripts(Profile.ROUGH, 8, KEYS[:300])


def test_a_calm_network_tells_each_state_once_in_order_at_once() -> None:
    script = write_script(Profile.CALM, 1, NUMBER, "k", marks_of(Profile.CALM, 1, NUMBER, "k"))
    assert [(notice.after, notice.status) for notice in script.notices] == [(0, Status.SENT), (0, Status.DELIVERED)]
    assert fault_of(Profile.CALM, 1, "k", 0) is None


def test_a_lively_network_tells_late_twice_and_in_reverse_but_loses_nothing() -> None:
    seen = set()
    for key in KEYS:
        script = write_script(Profile.LIVELY, 3, NUMBER, key, marks_of(Profile.LIVELY, 3, NUMBER, key))
        told = [one.status for one in script.notices if one.status not in {Status.QUEUED, Status.SENDING}]
        assert set(told) == {Status.SENT, Status.DELIVERED}
        assert [notice.after for notice in script.notices] == sorted(notice.after for notice in script.notices)
        seen |= {
            "reversed" if told[0] is Status.DELIVERED else "in order",
            "twice" if len(told) > 2 else "once",
            "late" if script.notices[-1].after >= 600 else "early",
            "every state" if len(told) < len(script.notices) else "two states",
        }
    assert seen == {"reversed", "in order", "twice", "once", "late", "early", "every state", "two states"}


def test_the_marks_and_faults_of_a_rough_network_come_as_often_as_its_table_says() -> None:
    drawn = [marks_of(Profile.ROUGH, 5, key, key) for key in KEYS]
    for mark, chance in CHANCES[Profile.ROUGH].marks:
        assert sum(mark in marks for marks in drawn) / len(KEYS) == pytest.approx(chance, abs=0.03), mark
    faults = [fault_of(Profile.ROUGH, 5, key, 0) for key in KEYS]
    for fault, chance in CHANCES[Profile.ROUGH].faults:
        assert faults.count(fault) / len(KEYS) == pytest.approx(chance, abs=0.02), fault
    assert set(faults) == {None, *Fault}


def test_an_unreachable_handset_stays_unreachable_for_the_same_reason() -> None:
    number = next(one for one in KEYS if Mark.UNREACHABLE in marks_of(Profile.ROUGH, 5, one, "first"))
    last = {
        write_script(Profile.ROUGH, 5, number, key, marks_of(Profile.ROUGH, 5, number, key)).stages[-1].error
        for key in KEYS[:50]
    }
    assert len(last) == 1
    assert last <= {30003, 30005}


def test_the_truth_only_moves_forward_whatever_the_callbacks_say() -> None:
    marks = frozenset({Mark.REVERSED, Mark.TWICE})
    script = write_script(Profile.LIVELY, 1, NUMBER, "k", marks)
    states = [script.stage_at(AT, AT + timedelta(seconds=second)).status for second in range(40)]
    ranks = [list(Status).index(state) for state in states]
    assert states[0] is Status.QUEUED
    assert states[-1] is Status.DELIVERED
    assert ranks == sorted(ranks)


def test_a_forged_callback_claims_the_opposite_of_the_truth() -> None:
    script = write_script(Profile.CALM, 1, NUMBER, "k", frozenset({Mark.FORGED}))
    assert [notice.status for notice in script.notices if notice.forged] == [Status.FAILED]


def test_a_lost_callback_leaves_at_most_one() -> None:
    counts = {len(write_script(Profile.CALM, 1, NUMBER, key, frozenset({Mark.LOST})).notices) for key in KEYS[:50]}
    assert counts == {0, 1}

import pytest

from services.assessments.model.interval.interval_rule import RULE
from services.assessments.model.rules import BEYOND_28, RULES, Rule, find
from shared.evidence import Grade


def test_every_rule_has_an_id_of_its_own_a_source_and_a_grade() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.source_url.startswith("https://") for rule in RULES)


@pytest.mark.parametrize("rule_id", [RULE, BEYOND_28])
def test_a_rule_that_proposes_treatment_waits_for_its_signature(rule_id: str) -> None:
    rule = find(rule_id)
    assert rule is not None
    assert rule.grade is Grade.ENGINEERING_DEFAULT
    assert not rule.runs(signed=False)
    assert rule.runs(signed=True)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fails_safe], ids=lambda rule: str(rule.id))
def test_only_safety_alerts_run_before_they_are_signed(rule: Rule) -> None:
    assert rule.applies_to == "safety alerts"
    assert rule.runs(signed=False)


def test_an_unknown_rule_is_none() -> None:
    assert find("shortest-straw") is None

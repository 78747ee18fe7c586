"""The alert rules: each can fire, each is silent on an ordinary day, and each tells what to do."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from keepwell.host import registry
from keepwell.tools.metrics_table import FILE as METRICS_TABLE
from keepwell.tools.metrics_table import rendered
from shared.settings import SERVICES
from shared.telemetry.metrics import CATALOGUE, REGISTRY, Kind
from tests.support.prometheus import DEPLOY, ROOT, needed
from tests.support.promql import metrics_in

RUNBOOK = ROOT / "docs" / "runbook.md"
RUNBOOK_URL = "https://github.com/keepwell/keepwell/blob/main/docs/runbook.md#"
RULE_FILES = sorted((DEPLOY / "rules").glob("*.yml"))
TEST_FILES = sorted((DEPLOY / "tests").glob("*.yml"))
OF_PROMETHEUS = {"up", "ALERTS"}
"""Series that Prometheus makes itself."""
LISTED = ("timer_overdue", "outbox_age", "consumer_lag", "dead_letters", "attempts_unknown", "provider_errors")
LISTED_OF_PATIENTS = ("alert_unacknowledged", "checkins_overdue")


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def alerts() -> dict[str, Any]:
    return {rule["alert"]: rule for file in RULE_FILES for group in read(file)["groups"] for rule in group["rules"]}


def entries() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def scraped() -> set[str]:
    """Return the names of all series that a process which hosts everything exports."""
    for name in SERVICES:
        registry.module(name)
    ends = {Kind.COUNTER: ("",), Kind.GAUGE: ("",), Kind.HISTOGRAM: ("_bucket", "_sum", "_count")}
    ours = {f"{metric.name}{end}" for metric in CATALOGUE.values() for end in ends[metric.kind]}
    of_python = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    return ours | {name for name in of_python if not name.startswith("keepwell_")}


def promtool(*arguments: str) -> str:
    found = subprocess.run([needed("promtool"), *arguments], capture_output=True, text=True, check=False, timeout=250)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_promtool_accepts_rules_and_configuration() -> None:
    promtool("check", "rules", *map(str, RULE_FILES))
    assert "is valid prometheus config" in promtool("check", "config", str(DEPLOY / "prometheus.yml"))


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.stem)
def test_promtool_sees_the_alerts_fire_and_be_silent_as_written(file: Path) -> None:
    promtool("test", "rules", str(file))


@pytest.mark.parametrize("alert", alerts())
def test_each_alert_is_made_to_fire_once_after_it_was_silent(alert: str) -> None:
    asked = [
        one
        for file in TEST_FILES
        for case in read(file)["tests"]
        for one in case.get("alert_rule_test", [])
        if one["alertname"] == alert
    ]
    assert [len(one["exp_alerts"]) for one in asked].count(1) == 1
    assert any(not one["exp_alerts"] for one in asked)


def test_the_ordinary_day_has_every_rule_and_no_alert_fires_in_it() -> None:
    ordinary = read(DEPLOY / "tests" / "well.yml")
    assert {Path(name).name for name in ordinary["rule_files"]} == {file.name for file in RULE_FILES}
    (case,) = ordinary["tests"]
    fed = {re.split(r"[{]", one["series"])[0] for one in case["input_series"]}
    looked_at = {name for rule in alerts().values() for name in metrics_in(rule["expr"])}
    assert looked_at - fed == set()
    (question,) = case["promql_expr_test"]
    assert question["exp_samples"] == []


@pytest.mark.parametrize(("alert", "rule"), alerts().items(), ids=lambda value: value if isinstance(value, str) else "")
def test_each_alert_says_how_urgent_it_is_what_is_wrong_and_where_the_remedy_stands(alert: str, rule: Any) -> None:
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"].keys() == {"summary", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == RUNBOOK_URL + alert.lower()


def test_every_alert_has_an_entry_in_the_runbook_and_every_entry_an_alert() -> None:
    assert list(entries()) == list(dict.fromkeys(entries()))
    assert set(entries()) == set(alerts())


@pytest.mark.parametrize("alert", alerts())
def test_each_entry_says_what_it_means_where_to_look_what_to_do_and_whom_to_page(alert: str) -> None:
    entry = entries()[alert]
    assert entry.strip().startswith(f"*{alerts()[alert]['labels']['severity']}* · ")
    for part in ("**For patients:**", "**Look:**", "**Do:**", "**Page whom:**"):
        assert entry.count(part) == 1


@pytest.mark.parametrize("alert", alerts())
def test_every_metric_of_a_rule_is_exported_by_the_code(alert: str) -> None:
    assert metrics_in(alerts()[alert]["expr"]) - scraped() - OF_PROMETHEUS == set()


@pytest.mark.parametrize("what", [*LISTED, *LISTED_OF_PATIENTS])
def test_what_an_operator_asks_first_has_an_alert(what: str) -> None:
    assert any(what in rule["expr"] for rule in alerts().values())


def test_the_table_of_metrics_is_the_generated_one() -> None:
    scraped()
    assert METRICS_TABLE.read_text(encoding="utf-8") == rendered(), "run `make metrics`"


@pytest.mark.parametrize("word", ["patient", "message", "clinic", "session", "id", "name", "phone", "number", "token"])
def test_no_metric_has_a_label_that_could_hold_an_identifier(word: str) -> None:
    scraped()
    assert [metric.name for metric in CATALOGUE.values() if word in metric.labels] == []

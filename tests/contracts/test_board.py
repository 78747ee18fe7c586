"""Grafana's board, held to the dashboard schema that Grafana publishes (`grafana-foundation-sdk`, jsonschema/).

Of that schema stands here what the board uses, stricter than Grafana itself: an unknown field is a mistake.
"""

import json
import re
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tests.contracts.test_rules import OF_PROMETHEUS, scraped
from tests.support.prometheus import ROOT
from tests.support.promql import metrics_in

GRAFANA = ROOT / "deploy" / "grafana"
BOARD = GRAFANA / "dashboards" / "keepwell.json"
COLUMNS = 24
OLDEST_SCHEMA, NEWEST_SCHEMA = 36, 42
"""Grafana 9 and the newest published; an older board is brought up to date when it is loaded."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Source(Strict):
    type: Literal["prometheus"]
    uid: Literal["${datasource}"]


class Grid(Strict):
    h: int = Field(ge=1)
    w: int = Field(ge=1, le=COLUMNS)
    x: int = Field(ge=0, lt=COLUMNS)
    y: int = Field(ge=0)


class Target(Strict):
    refId: str = Field(pattern="^[A-Z]$")  # noqa: N815 - Grafana's name
    datasource: Source
    editorMode: Literal["code"]  # noqa: N815 - Grafana's name
    expr: str = Field(min_length=2)
    legendFormat: str = Field(min_length=1)  # noqa: N815 - Grafana's name
    range: bool
    instant: bool


class Step(Strict):
    color: Literal["green", "orange", "red"]
    value: float | None


class Thresholds(Strict):
    mode: Literal["absolute"]
    steps: list[Step] = Field(min_length=1)


class Color(Strict):
    mode: Literal["palette-classic", "thresholds"]


class Stacking(Strict):
    mode: Literal["none", "normal"]
    group: str


class LineStyle(Strict):
    mode: Literal["line"]


class Lines(Strict):
    drawStyle: Literal["line"]  # noqa: N815 - Grafana's name
    fillOpacity: int = Field(ge=0, le=100)  # noqa: N815 - Grafana's name
    lineWidth: int = Field(ge=0)  # noqa: N815 - Grafana's name
    showPoints: Literal["auto", "never", "always"]  # noqa: N815 - Grafana's name
    spanNulls: bool  # noqa: N815 - Grafana's name
    stacking: Stacking
    thresholdsStyle: LineStyle | None = None  # noqa: N815 - Grafana's name


class Defaults(Strict):
    unit: Literal["short", "s", "ops", "reqps", "bytes"]
    color: Color
    min: float | None = None
    thresholds: Thresholds | None = None
    custom: Lines | None = None


class FieldConfig(Strict):
    defaults: Defaults
    overrides: list[Any] = Field(max_length=0)


class Legend(Strict):
    displayMode: Literal["list", "table", "hidden"]  # noqa: N815 - Grafana's name
    placement: Literal["bottom", "right"]
    showLegend: bool  # noqa: N815 - Grafana's name
    calcs: list[str]


class Tooltip(Strict):
    mode: Literal["single", "multi", "none"]
    sort: Literal["asc", "desc", "none"]


class SeriesOptions(Strict):
    legend: Legend
    tooltip: Tooltip


class Reduce(Strict):
    calcs: list[str] = Field(min_length=1)
    fields: str
    values: bool


class StatOptions(Strict):
    colorMode: Literal["none", "value", "background", "background_solid"]  # noqa: N815 - Grafana's name
    graphMode: Literal["none", "line", "area"]  # noqa: N815 - Grafana's name
    justifyMode: Literal["auto", "center"]  # noqa: N815 - Grafana's name
    orientation: Literal["auto", "vertical", "horizontal"]
    textMode: Literal["auto", "value", "value_and_name", "name", "none"]  # noqa: N815 - Grafana's name
    wideLayout: bool  # noqa: N815 - Grafana's name
    showPercentChange: bool  # noqa: N815 - Grafana's name
    percentChangeColorMode: Literal["standard", "inverted", "same_as_value"]  # noqa: N815 - Grafana's name
    reduceOptions: Reduce  # noqa: N815 - Grafana's name


class Panel(Strict):
    id: int = Field(ge=1)
    title: str
    description: str = Field(min_length=1)
    datasource: Source
    gridPos: Grid  # noqa: N815 - Grafana's name
    targets: list[Target] = Field(min_length=1)
    fieldConfig: FieldConfig  # noqa: N815 - Grafana's name


class SeriesPanel(Panel):
    type: Literal["timeseries"]
    options: SeriesOptions


class StatPanel(Panel):
    type: Literal["stat"]
    options: StatOptions


class RowPanel(Strict):
    id: int = Field(ge=1)
    type: Literal["row"]
    title: str
    collapsed: Literal[False]
    panels: list[Any] = Field(max_length=0)
    gridPos: Grid  # noqa: N815 - Grafana's name


class Chosen(Strict):
    selected: bool
    text: str
    value: str


class Variable(Strict):
    name: Literal["datasource"]
    label: str
    type: Literal["datasource"]
    query: Literal["prometheus"]
    regex: str
    hide: Literal[0, 1, 2, 3]
    refresh: Literal[0, 1, 2]
    includeAll: bool  # noqa: N815 - Grafana's name
    multi: bool
    options: list[Any]
    skipUrlSync: bool  # noqa: N815 - Grafana's name
    current: Chosen


class Variables(Strict):
    items: list[Variable] = Field(alias="list", min_length=1, max_length=1)


class Annotation(Strict):
    name: str
    enable: bool
    hide: bool
    iconColor: str  # noqa: N815 - Grafana's name
    datasource: Source
    expr: str
    titleFormat: str  # noqa: N815 - Grafana's name
    step: str


class Annotations(Strict):
    items: list[Annotation] = Field(alias="list")


class Span(Strict):
    from_: str = Field(alias="from")
    to: str


class Board(Strict):
    uid: str = Field(pattern="^[a-zA-Z0-9_-]{1,40}$")
    title: str
    description: str
    tags: list[str]
    timezone: Literal["browser", "utc"]
    editable: bool
    graphTooltip: Literal[0, 1, 2]  # noqa: N815 - Grafana's name
    schemaVersion: int = Field(ge=OLDEST_SCHEMA, le=NEWEST_SCHEMA)  # noqa: N815 - Grafana's name
    version: int
    refresh: str = Field(pattern=r"^\d+[smh]$")
    fiscalYearStartMonth: int = Field(ge=0, lt=12)  # noqa: N815 - Grafana's name
    weekStart: str  # noqa: N815 - Grafana's name
    time: Span
    timepicker: dict[str, Any]
    links: list[Any]
    annotations: Annotations
    templating: Variables
    panels: list[Annotated[SeriesPanel | StatPanel | RowPanel, Field(discriminator="type")]]


def board() -> Board:
    # Strict, but JSON has one kind of number: read as JSON, where a whole number is a float too.
    return TypeAdapter(Board).validate_json(BOARD.read_text(encoding="utf-8"))


def questions() -> list[SeriesPanel | StatPanel]:
    return [panel for panel in board().panels if not isinstance(panel, RowPanel)]


def test_the_board_fits_grafanas_schema_and_has_no_field_that_it_does_not_know() -> None:
    assert json.loads(BOARD.read_text(encoding="utf-8"))["uid"] == board().uid


def test_each_title_is_a_question_and_asked_once() -> None:
    titles = [panel.title for panel in board().panels]
    assert all(re.fullmatch(r"[A-Z][^?]+\?", title) for title in titles)
    assert len(set(titles)) == len(titles)


def test_ids_and_the_letters_of_targets_are_unique() -> None:
    ids = [panel.id for panel in board().panels]
    assert len(set(ids)) == len(ids)
    for panel in questions():
        letters = [target.refId for target in panel.targets]
        assert len(set(letters)) == len(letters)


def test_no_panel_lies_on_another_or_beyond_the_edge() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board().panels:
        place = panel.gridPos
        assert place.x + place.w <= COLUMNS, panel.title
        cells = {(x, y) for x in range(place.x, place.x + place.w) for y in range(place.y, place.y + place.h)}
        assert not cells & taken, panel.title
        taken |= cells


def test_thresholds_begin_without_a_limit_and_rise() -> None:
    for panel in questions():
        if panel.fieldConfig.defaults.thresholds is not None:
            first, *others = [step.value for step in panel.fieldConfig.defaults.thresholds.steps]
            limits = [limit for limit in others if limit is not None]
            assert first is None
            assert limits == sorted(limits)
            assert len(limits) == len(others)


@pytest.mark.parametrize("panel", questions(), ids=lambda panel: panel.title)
def test_every_metric_of_a_panel_is_exported_by_the_code(panel: SeriesPanel | StatPanel) -> None:
    for target in panel.targets:
        assert metrics_in(target.expr) - scraped() - OF_PROMETHEUS == set()
        assert target.instant is not target.range


def test_the_board_is_provisioned_with_the_source_that_it_names() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    (variable,) = board().templating.items
    assert (source["type"], source["uid"]) == (variable.query, variable.current.value)
    (provider,) = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "keepwell.yml").read_text())["providers"]
    assert (provider["type"], provider["options"]["path"]) == ("file", "/etc/grafana/dashboards")

"""Figures: several runs of one measurement, shown as a median with its spread, never judged."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measurement, several times.

    Attributes:
        what: in words.
        unit: of each run's value.
        runs: in the order they were made.
        bare: whether it is a limit to compare with and not the product.
        remark: what else the runs say, such as counts that must be exact.
    """

    what: str
    unit: str
    runs: tuple[float, ...]
    bare: bool = False
    remark: str = ""

    @property
    def middle(self) -> float:
        return median(self.runs)

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "unit": self.unit,
            "min": min(self.runs),
            "median": self.middle,
            "max": max(self.runs),
            "runs": list(self.runs),
            "bare": self.bare,
            "remark": self.remark,
        }


@dataclass
class Report:
    """What one benchmark found."""

    name: str
    figures: list[Figure] = field(default_factory=list)

    def add(self, what: str, unit: str, runs: Sequence[float], *, bare: bool = False, remark: str = "") -> Figure:
        figure = Figure(what, unit, tuple(runs), bare, remark)
        self.figures.append(figure)
        # A long run tells what it has, also when it is stopped half-way.
        print(f"{what}: {', '.join(map(rounded, runs))} {unit} {remark}".rstrip(), file=sys.stderr, flush=True)
        return figure

    def show(self, console: Console) -> None:
        table = Table(title=self.name, title_justify="left", caption_justify="left")
        table.add_column("what", overflow="fold")
        for column in ("min", "median", "max"):
            table.add_column(column, justify="right")
        table.add_column("unit")
        table.add_column("runs", justify="right")
        table.add_column("", overflow="fold")
        for each in self.figures:
            values = [rounded(value) for value in (min(each.runs), each.middle, max(each.runs))]
            name = f"  bare: {each.what}" if each.bare else each.what
            table.add_row(name, *values, each.unit, str(len(each.runs)), each.remark, style="dim" if each.bare else "")
        console.print(table)

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "figures": [figure.as_json() for figure in self.figures]}


def rounded(value: float) -> str:
    """Return a value with three digits that mean something."""
    if value >= 100:  # noqa: PLR2004 - three digits
        return f"{value:,.0f}"
    return f"{value:.3g}"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the sorted values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

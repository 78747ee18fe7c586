import pytest

from tests.support.promql import as_figures, filled_in, metrics_in


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("up", {"up"}),
        ('max by (service) (rate(a_total{code!="b"}[5m])) > 3', {"a_total"}),
        ('sum(a) / clamp_min(sum(b), 1) and on (x) c{d="e > f"} == 0', {"a", "b", "c"}),
        ('label_replace(vector(0), "service", "clinic", "", "") or hosted', {"hosted"}),
        ("histogram_quantile(0.95, sum by (area, le) (rate(h_bucket[$__rate_interval])))", {"h_bucket"}),
    ],
)
def test_the_metrics_of_a_query_are_found_and_nothing_else(query: str, names: set[str]) -> None:
    assert metrics_in(query) == names


def test_each_comparison_answers_instead_of_filtering_and_labels_are_left_alone() -> None:
    query = 'a{b!="c", d=~"> 1"} > 3 and on (x) e <= 0'
    assert as_figures(query) == 'a{b!="c", d=~"> 1"} > bool 3 and on (x) e <= bool 0'


def test_grafanas_variables_are_filled_in() -> None:
    assert filled_in("rate(a[$__rate_interval])") == "rate(a[1m])"

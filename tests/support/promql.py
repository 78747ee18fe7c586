"""Reading PromQL just as far as tests need it: which metrics it names, and what it would show if nothing were wrong."""

import re

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACES = re.compile(r"\{[^}]*\}")
_RANGE = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\()\b(?!\s*\()")
_KEYWORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "inf", "nan"})
_APART = re.compile(r'"(?:[^"\\]|\\.)*"|\{[^}]*\}|==|!=|<=|>=|<|>')
_COMPARISONS = frozenset({"==", "!=", "<=", ">=", "<", ">"})
_VARIABLES = {"$__rate_interval": "1m", "$__range": "1h"}


def metrics_in(query: str) -> set[str]:
    """Return the names of the metrics that a query reads."""
    bare = _QUOTED.sub('""', query)
    for pattern in (_BRACES, _RANGE, _GROUPING):
        bare = pattern.sub(" ", bare)
    return {word for word in _WORD.findall(bare) if word.lower() not in _KEYWORDS}


def as_figures(query: str) -> str:
    """Return a rule's query so that it gives 0 or 1 for each series, instead of nothing where the condition is false.

    What it then finds is what the rule looks at: a misspelt name finds nothing, as it would in the rule.
    """

    def answer(found: re.Match[str]) -> str:
        return f"{found.group()} bool" if found.group() in _COMPARISONS else found.group()

    return _APART.sub(answer, query)


def filled_in(query: str) -> str:
    """Return a panel's query with Grafana's own variables filled in."""
    for name, value in _VARIABLES.items():
        query = query.replace(name, value)
    return query

"""What a template reads of its views, followed by type through loops, macros, blocks and includes.

Rendering finds a renamed field only on the branches that a sample takes; this reads all of them. Where a type cannot be
known (a filter, a table of the template's own) nothing is claimed.
"""

import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from inspect import signature
from types import FunctionType, NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from jinja2 import Environment, nodes

Scope = dict[str, Any]


@dataclass(frozen=True)
class Module:
    """A template that was imported for its macros, with the names of the page that imports it."""

    name: str


@dataclass
class TemplateTypes:
    """Follows the types of one service's templates.

    Attributes:
        flaws: each name that a template reads and no type has.
        used: the macros that some page came by, as `template:macro`.
    """

    environment: Environment
    flaws: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    seen: dict[str, nodes.Template] = field(default_factory=dict)

    def page(self, name: str, **given: Any) -> None:
        """Follow a page that is rendered with values of these types."""
        known = {**dict.fromkeys(self.environment.globals, Any), **self.environment.globals, **given}
        _Page(self, name, {key: _type_of(value) for key, value in known.items()}).follow()

    def parsed(self, name: str) -> nodes.Template:
        if name not in self.seen:
            assert self.environment.loader is not None
            source = self.environment.loader.get_source(self.environment, name)[0]
            self.seen[name] = self.environment.parse(source, name)
        return self.seen[name]

    def macros(self) -> set[str]:
        """Return every macro of the templates that were seen, as `template:macro`."""
        found = [(name, macro) for name, template in self.seen.items() for macro in template.find_all(nodes.Macro)]
        return {f"{name}:{macro.name}" for name, macro in found}


class _Page:
    def __init__(self, types: TemplateTypes, name: str, top: Scope) -> None:
        self._types = types
        self._name = self._at = name
        self._top = top
        self._blocks: dict[str, list[tuple[str, nodes.Block]]] = {}
        self._called: set[tuple[str, str]] = set()

    def follow(self) -> None:
        chain = [(self._name, self._types.parsed(self._name))]
        while (parent := chain[-1][1].find(nodes.Extends)) is not None:
            assert isinstance(parent.template, nodes.Const)
            chain.append((parent.template.value, self._types.parsed(parent.template.value)))
        for name, template in chain:
            for block in template.find_all(nodes.Block):
                self._blocks.setdefault(block.name, []).append((name, block))
            self._at = name
            heads = nodes.Import | nodes.FromImport | nodes.Assign | nodes.Macro
            self._all([node for node in template.body if isinstance(node, heads)], self._top)
        self._all(chain[-1][1].body, self._top)

    def _flaw(self, node: nodes.Node, what: str) -> None:
        self._types.flaws.add(f"{self._at}:{node.lineno}: {what}")

    def _all(self, body: Iterable[nodes.Node], scope: Scope) -> None:
        for node in body:
            self._statement(node, scope)

    def _statement(self, node: nodes.Node, scope: Scope) -> None:
        work: Callable[[Any, Scope], None] | None = getattr(self, f"_do_{type(node).__name__.lower()}", None)
        if work is not None:
            work(node, scope)
            return
        for child in node.iter_child_nodes():
            self._statement(child, scope)

    def _do_output(self, node: nodes.Output, scope: Scope) -> None:
        for each in node.nodes:
            self.infer(each, scope)

    def _do_if(self, node: nodes.If, scope: Scope) -> None:
        self.infer(node.test, scope)
        for body in (node.body, node.elif_, node.else_):
            self._all(body, scope)

    def _do_for(self, node: nodes.For, scope: Scope) -> None:
        inner = {**scope, "loop": Any}
        self._bind(node.target, _element(self.infer(node.iter, scope)), inner)
        self._all(node.body, inner)
        self._all(node.else_, scope)

    def _do_assign(self, node: nodes.Assign, scope: Scope) -> None:
        self._bind(node.target, self.infer(node.node, scope), scope)

    def _do_macro(self, node: nodes.Macro, scope: Scope) -> None:
        scope[node.name] = (self._at, node)

    def _do_import(self, node: nodes.Import, scope: Scope) -> None:
        assert isinstance(node.template, nodes.Const)
        scope[node.target] = Module(node.template.value)

    def _do_block(self, node: nodes.Block, scope: Scope) -> None:
        self._block(node.name, 0, scope)

    def _do_include(self, node: nodes.Include, scope: Scope) -> None:
        assert isinstance(node.template, nodes.Const)
        self._inside(node.template.value, lambda found: self._all(found.body, dict(scope)))

    def _inside(self, name: str, work: Callable[[nodes.Template], None]) -> None:
        before, self._at = self._at, name
        work(self._types.parsed(name))
        self._at = before

    def _block(self, name: str, depth: int, scope: Scope) -> None:
        found = self._blocks.get(name, [])[depth:]
        if found:
            at, block = found[0]
            before, self._at = self._at, at
            above = lambda: self._block(name, depth + 1, scope)  # noqa: E731 - what `super()` means in here
            self._all(block.body, {**scope, "super": above})
            self._at = before

    def _bind(self, target: nodes.Node, found: Any, scope: Scope) -> None:
        if isinstance(target, nodes.Name):
            scope[target.name] = found
        elif isinstance(target, nodes.Tuple):
            args = get_args(found) if get_origin(found) is tuple else ()
            parts = args if len(args) == len(target.items) and Ellipsis not in args else [Any] * len(target.items)
            for item, part in zip(target.items, parts, strict=True):
                self._bind(item, part, scope)

    def infer(self, node: nodes.Node, scope: Scope) -> Any:
        """Return the type of an expression, or Any where it cannot be known; note what is not there."""
        known: Callable[[Any, Scope], Any] | None = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if known is not None:
            return known(node, scope)
        for child in node.iter_child_nodes():
            self.infer(child, scope)
        return Any

    def _of_const(self, node: nodes.Const, _scope: Scope) -> Any:
        return type(node.value)

    def _of_name(self, node: nodes.Name, scope: Scope) -> Any:
        if node.name not in scope:
            self._flaw(node, f"nobody gives {node.name!r}")
        return scope.get(node.name, Any)

    def _of_getitem(self, node: nodes.Getitem, scope: Scope) -> Any:
        base = self.infer(node.node, scope)
        self.infer(node.arg, scope)
        return Any if isinstance(node.arg, nodes.Slice) else _item(base)

    def _of_test(self, node: nodes.Test, scope: Scope) -> Any:
        if node.name != "defined":
            for child in node.iter_child_nodes():
                self.infer(child, scope)
        return bool

    def _of_and(self, node: nodes.And, scope: Scope) -> Any:
        if self._is_absent(node, scope):
            return bool
        self.infer(node.left, scope)
        return self.infer(node.right, scope)

    def _of_or(self, node: nodes.Or, scope: Scope) -> Any:
        return _either(self.infer(node.left, scope), self.infer(node.right, scope))

    def _of_condexpr(self, node: nodes.CondExpr, scope: Scope) -> Any:
        self.infer(node.test, scope)
        other = NoneType if node.expr2 is None else self.infer(node.expr2, scope)
        return _either(self.infer(node.expr1, scope), other)

    def _of_tuple(self, node: nodes.Tuple, scope: Scope) -> Any:
        return tuple.__class_getitem__(tuple(self.infer(item, scope) for item in node.items))

    def _of_list(self, node: nodes.List, scope: Scope) -> Any:
        return list.__class_getitem__(_either(*[self.infer(item, scope) for item in node.items]))

    def _is_absent(self, node: nodes.And, scope: Scope) -> bool:
        """Tell whether a condition asks first for something that this page does not have."""
        first = node.left
        while isinstance(first, nodes.And):
            first = first.left
        if not (isinstance(first, nodes.Test) and first.name == "defined" and isinstance(first.node, nodes.Getattr)):
            return False
        base = self.infer(first.node.node, scope)
        return any(_lookup(one, first.node.attr) is None for one in _members(base))

    def _of_getattr(self, node: nodes.Getattr, scope: Scope) -> Any:
        base = self.infer(node.node, scope)
        if isinstance(base, Module):
            macro = next((m for m in self._types.parsed(base.name).find_all(nodes.Macro) if m.name == node.attr), None)
            if macro is None:
                self._flaw(node, f"{base.name} has no macro {node.attr!r}")
                return Any
            return (base.name, macro)
        found = [(one, _lookup(one, node.attr)) for one in _members(base)]
        for one, member in found:
            if member is None:
                self._flaw(node, f"{getattr(one, '__name__', one)} has no {node.attr!r}")
        return _either(*[Any if member is None else member for _, member in found])

    def _of_filter(self, node: nodes.Filter, scope: Scope) -> Any:
        if node.name == "default" and isinstance(node.node, nodes.Name) and node.node.name not in scope:
            return self.infer(node.args[0], scope)
        subject = NoneType if node.node is None else self.infer(node.node, scope)
        for arg in (*node.args, *(pair.value for pair in node.kwargs)):
            self.infer(arg, scope)
        function = self._types.environment.filters[node.name]
        if node.name in {"list", "sort", "reverse"}:
            return subject
        return _returns(function) if isinstance(function, FunctionType) and "jinja2" not in function.__module__ else Any

    def _of_call(self, node: nodes.Call, scope: Scope) -> Any:
        called = self.infer(node.node, scope)
        args = [self.infer(arg, scope) for arg in node.args]
        named = {pair.key: self.infer(pair.value, scope) for pair in node.kwargs}
        if isinstance(called, tuple):
            self._macro(called, args, named)
            return str
        if isinstance(called, FunctionType):
            if called.__name__ == "<lambda>" and not signature(called).parameters:
                called()
                return str
            return _returns(called)
        return Any

    def _macro(self, called: tuple[str, nodes.Macro], args: list[Any], named: Mapping[str, Any]) -> None:
        at, macro = called
        key = (f"{at}:{macro.name}", repr((args, named)))
        self._types.used.add(key[0])
        if key in self._called:
            return
        self._called.add(key)
        scope = dict(self._top)
        before, self._at = self._at, at
        module = self._types.parsed(at)
        self._all([one for one in module.body if isinstance(one, nodes.Import | nodes.Macro)], scope)
        names = [arg.name for arg in macro.args]
        defaults = dict(zip(names[len(names) - len(macro.defaults) :], macro.defaults, strict=True))
        given = {**{name: self.infer(one, scope) for name, one in defaults.items()}, **named}
        given |= dict(zip(names, args, strict=False))
        self._at = before
        for name in [name for name in names if name not in given]:
            self._flaw(macro, f"{macro.name} is not given {name!r}")
        self._at = at
        self._all(macro.body, {**scope, **dict.fromkeys(names, Any), **given})
        self._at = before


def _type_of(value: Any) -> Any:
    """Return what stands for a value: types and functions themselves, of anything else its type."""
    known = isinstance(value, type | FunctionType | UnionType | TypeVar) or get_origin(value) is not None
    return value if known or value is Any else type(value)


def _plain(hint: Any) -> Any:
    """Return a hint without what only narrows it."""
    while True:
        if isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif get_origin(hint) is typing.Annotated:
            hint = get_args(hint)[0]
        elif get_origin(hint) is typing.Literal:
            return type(get_args(hint)[0])
        else:
            return hint


def _members(hint: Any) -> list[Any]:
    """Return the types that something may have, None aside: a template asks first."""
    hint = _plain(hint)
    if isinstance(hint, UnionType) or get_origin(hint) is typing.Union:
        return [one for part in get_args(hint) for one in _members(part)]
    return [] if hint is NoneType or hint is None else [hint]


def _either(*hints: Any) -> Any:
    members = list(dict.fromkeys(one for hint in hints for one in (_members(hint) if hint is not Any else [Any])))
    if any(one is Any or not (isinstance(one, type) or get_origin(one)) for one in members):
        return members[0] if len(members) == 1 else Any
    return typing.Union[tuple(members)] if members else NoneType  # noqa: UP007 - of types known at run time alone


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _returns(function: Callable[..., Any]) -> Any:
    return get_type_hints(function).get("return", Any)


def _lookup(hint: Any, name: str) -> Any:
    """Return the type of a member, Any where it cannot be known, or None where there is no such member."""
    origin = get_origin(hint)
    cls = origin or hint
    if hint is Any or not isinstance(cls, type):
        return Any
    found = getattr(cls, name, None)
    if isinstance(found, property) and found.fget is not None:
        hinted = _returns(found.fget)
    elif isinstance(found, FunctionType):
        return found
    elif name in _hints(cls):
        hinted = _hints(cls)[name]
    else:
        return Any if hasattr(cls, name) or issubclass(cls, Mapping) else None
    given = dict(zip(getattr(cls, "__parameters__", ()), get_args(hint), strict=False))
    if isinstance(hinted, TypeVar):
        return given.get(hinted, Any)
    unbound = getattr(hinted, "__parameters__", ())
    return hinted[tuple(given.get(one, Any) for one in unbound)] if unbound else hinted


def _element(hint: Any) -> Any:
    """Return what a loop over something gives."""
    found = []
    for one in _members(hint):
        origin, args = get_origin(one), get_args(one)
        if not args or not isinstance(origin, type):
            return Any
        several = origin is tuple and Ellipsis not in args
        found.append(_either(*args) if several else args[0])
    return _either(*found) if found else Any


def _item(hint: Any) -> Any:
    """Return what stands at a place of a sequence, or under a key."""
    found = [get_args(one)[-1] for one in _members(hint) if get_args(one) and Ellipsis not in get_args(one)]
    found += [get_args(one)[0] for one in _members(hint) if Ellipsis in get_args(one)]
    return _either(*found) if found else Any

"""Fields whose text decides, through a register, whether a step can be completed or a way on is
open after it: their tokens have no answer in common.

A register decides where a condition reads it: one that opens a way on, or any of the same step.
What a `set` of such a register reads decides with it. Of a map that is only asked for its keys the
values decide nothing; and where a field must be among such keys, or must not, another text of its
own kind there does as well as any. That does not hold where other conditions narrow the field that
is looked up: then a mask may have a text there that no completion of the step can use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import evolve, frozen

from statelang.clauses import expression as ex
from statelang.compiling.bodies import All, Any, Bodies, Node, Part, Recursive, Times
from statelang.compiling.env import Clause
from statelang.compiling.fields import Scope


@frozen
class _Read:
    """What an expression reads; of a map or a set all of it, or what it contains alone."""

    kind: type[ex.Expression]  # Field, Register or Last
    index: int
    whole: bool
    action: int = 0
    among: str = ""  # the kind of the field that is looked up in it


def tie(bodies: Bodies, gates: Iterable[Clause], actions: Sequence[str]) -> None:
    """Mark the fields; `gates` are what transitions require."""
    scopes = {name: list(_scopes(body.root)) for name, body in bodies.known.items()}
    leading = (s for name in actions for s in _scopes(bodies.known[name].root, leading=True))
    opening = [*gates, *(gate for scope in leading for gate in scope.gates)]
    opened = {read for clause in opening for read in _reads(clause.expression)}
    for read in opened:
        if read.kind is ex.Last:
            _mark(bodies.known[actions[read.action]].root.scope, read.index)
    for name, body in bodies.known.items():
        step = [scope for rule in {name} | _runs(bodies, body.root) for scope in scopes[rule]]
        inside = {read for scope in step for each in _inside(scope) for read in _asked(each)}
        _carry(step, [*opened, *inside])


def _carry(step: list[Scope], todo: list[_Read]) -> None:
    """Follow registers back through the `set` lines of one step to fields."""
    sets: dict[int, list[tuple[Scope, ex.Expression]]] = {}
    for scope in step:
        for index, _, clause in scope.sets:
            sets.setdefault(index, []).append((scope, clause.expression))
    seen: set[_Read] = set()
    while todo:
        read = todo.pop()
        if read.kind is not ex.Register or read in seen:
            continue
        seen.add(read)
        for scope, value in sets.get(read.index, ()):
            for each in _reads(value, read.whole):
                if each.kind is ex.Field:
                    _mark(scope, each.index, read.among)
                todo.append(evolve(each, among=read.among))


def _mark(scope: Scope, slot: int, among: str = "") -> None:
    for occurrence in scope.occurrences(slot):
        occurrence.tied |= occurrence.name != among


def _asked(condition: ex.Expression) -> Iterator[_Read]:
    """What a condition with fields reads."""
    match condition.inner if isinstance(condition, ex.Excludes) else condition:
        case ex.Contains(item=ex.Field(name=name), container=container):
            among = name.rpartition(".")[2]
            yield from (evolve(read, among=among) for read in _reads(container, False))
        case _:
            yield from _reads(condition)


def _inside(scope: Scope) -> Iterator[ex.Expression]:
    """The conditions that a step must satisfy; `checks` are judged beside the mask."""
    yield from (clause.expression for clause in scope.gates)
    yield from (clause.expression for clause in scope.late if clause.kind != "checks")
    for occurrence, _ in scope.members:
        yield from (clause.expression for clause in occurrence.clauses)


def _reads(expression: ex.Expression, whole: bool = True) -> Iterator[_Read]:
    match expression:
        case ex.Register(index=index) | ex.Old(index=index):
            yield _Read(ex.Register, index, whole)
        case ex.Field(slot=slot):
            yield _Read(ex.Field, slot, True)
        case ex.Last(action=action, slot=slot):
            yield _Read(ex.Last, slot, True, action)
        case ex.Contains(item=item, container=container):
            yield from _reads(item)
            yield from _reads(container, False)
        case ex.Apply(name="keys", arguments=(table,)):
            yield from _reads(table, False)
        case ex.If(condition=condition, yes=yes, no=no):
            yield from _reads(condition)
            yield from _reads(yes, whole)
            yield from _reads(no, whole)
        case ex.Apply(name="|" | "-", arguments=(first, second)) if not whole:
            yield from _reads(first, False)
            yield from _reads(second, False)
        case ex.MapOf(pairs=pairs) if not whole:
            for key, _ in pairs:
                yield from _reads(key)
        case _:
            for child in ex.children(expression):
                yield from _reads(child)


def _scopes(node: Node, *, leading: bool = False) -> Iterator[Scope]:
    """The rules that are laid out in a body; or those alone that open before it reads anything."""
    match node:
        case Part(scope=scope, body=body):
            yield scope
            yield from _scopes(body, leading=leading)
        case All(items):
            for item in items:
                yield from _scopes(item, leading=leading)
                if leading and not (isinstance(item, Times) and item.low == 0):
                    break
        case Any(options):
            for option in options:
                yield from _scopes(option, leading=leading)
        case Times(item):
            yield from _scopes(item, leading=leading)


def _runs(bodies: Bodies, node: Node) -> set[str]:
    """The recursive rules that a body runs."""
    found: set[str] = set()
    todo: list[Node] = [node]
    while todo:
        match todo.pop():
            case Part(body=body):
                todo.append(body)
            case All(nodes) | Any(nodes):
                todo += nodes
            case Times(item):
                todo.append(item)
            case Recursive(rule=rule) if rule not in found:
                found.add(rule)
                todo.append(bodies.known[rule].root)
    return found

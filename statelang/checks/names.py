"""Names: that each is defined once, can be told from the others, and is used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from statelang.clauses.resolve import near
from statelang.diagnostics import Diagnostic, Severity
from statelang.language.analysis import references, table
from statelang.language.syntax import Definition, File, Reference
from statelang.snippet import Label
from statelang.source import Span

_SHOWN = 8  # places of one mistake that are marked
_SUGGESTED = 20  # missing names for which a known one is looked for


def findings(file: File) -> Iterator[Diagnostic]:
    """Every finding about names."""
    yield from _no_start(file)
    yield from _defined_twice(file)
    yield from _undefined(file)
    yield from _alike(file)


def _no_start(file: File) -> Iterator[Diagnostic]:
    if not any(d.name == "start" for d in file.definitions):
        help_ = "add `start : first_action _next_state`"
        known = near("start", [d.name.lower() for d in file.definitions])
        yield Diagnostic(
            "SL100", "there is no state `start`", file.source, Span(0, 1), help=known or help_
        )


def _defined_twice(file: File) -> Iterator[Diagnostic]:
    seen: dict[str, Definition] = {}
    for definition in file.definitions:
        first = seen.setdefault(definition.name, definition)
        if first is not definition:
            yield Diagnostic(
                "SL102",
                f"`{definition.name}` is defined twice",
                file.source,
                definition.span,
                label="and again",
                help="join the two with `|`, or rename one",
                also=(Label(first.span, "defined here"),),
            )


def _undefined(file: File) -> Iterator[Diagnostic]:
    """A name that is missing is one mistake, however often it is used."""
    names = {d.name for d in file.definitions}
    missing: dict[str, list[Reference]] = defaultdict(list)
    for definition in file.definitions:
        if any(item.code == "SL013" for item in definition.outside):
            continue  # the parameters of a template look like rules
        for reference in references(definition):
            if reference.name not in names:
                missing[reference.name].append(reference)
    for number, (name, uses) in enumerate(missing.items()):
        close = near(name, names) if number < _SUGGESTED else ""
        kind = "terminal" if uses[0].is_terminal else "rule"
        yield Diagnostic(
            "SL101",
            f"{kind} `{name}` is not defined",
            file.source,
            uses[0].span,
            label="not defined in this file",
            help=close or f"add `{name} : ...`",
            note=f"it is used at {len(uses)} places" if len(uses) > 1 else "",
            also=tuple(Label(use.span) for use in uses[1 : _SHOWN + 1]),
        )


def _kind(definition: Definition) -> str:
    if definition.is_terminal:
        return "terminal"
    return "state" if definition.is_state else "rule"


def _alike(file: File) -> Iterator[Diagnostic]:
    """Names of one kind that a reader takes for each other."""
    seen: dict[tuple[str, str], Definition] = {}
    for definition in file.definitions:
        key = _kind(definition), definition.name.replace("_", "")
        first = seen.setdefault(key, definition)
        if first.name != definition.name:
            yield Diagnostic(
                "SL103",
                f"`{definition.name}` and `{first.name}` differ by an underscore alone",
                file.source,
                definition.span,
                Severity.WARNING,
                help="rename one of them",
                also=(Label(first.span, "the other"),),
            )


def unused(file: File) -> Iterator[Diagnostic]:
    """Every definition that nothing reachable uses."""
    definitions = table(file)
    reached: set[str] = set()
    _reach("start", definitions, reached)
    unused = {name: d for name, d in definitions.items() if name not in reached}
    # What only an unused rule uses goes with it: one finding for each mistake.
    below = {r.name for d in unused.values() for r in references(d) if r.name != d.name}
    for name in sorted(unused, key=lambda name: name in below):
        if name not in reached:
            _reach(name, definitions, reached)
            yield _unused(file, unused[name])


def _reach(first: str, definitions: dict[str, Definition], reached: set[str]) -> None:
    """Add everything that a definition uses, itself included."""
    todo = [first]
    while todo:
        name = todo.pop()
        if name not in reached and name in definitions:
            reached.add(name)
            todo += [reference.name for reference in references(definitions[name])]


def _unused(file: File, definition: Definition) -> Diagnostic:
    kind = _kind(definition)
    code = {"rule": "SL201", "state": "SL203", "terminal": "SL204"}[kind]
    return Diagnostic(
        code,
        f"the {kind} `{definition.name}` is never {'entered' if kind == 'state' else 'used'}",
        file.source,
        definition.span,
        Severity.WARNING,
        label="nothing reachable from `start` uses it",
        help="remove it, or refer to it",
    )

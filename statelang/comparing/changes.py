"""What two grammar files declare differently, name by name. Says nothing about what it means."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from statelang.space import StateSpace
from statelang.written import clauses, rules

_KINDS = {"ghost": "register"}  # other clauses of the file are called by their word


@frozen
class Change:
    """Something that is only in one of two spaces (the other text is None), or differs.

    `kind` is `state`, `transition`, `action`, `part`, `terminal`, `contract`, `doc`, `register`, or
    the word of another clause; `name` says which of that kind.
    """

    kind: str
    name: str
    before: str | None
    after: str | None

    @property
    def what(self) -> str:
        """`added`, `removed` or `changed`."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def changes(first: StateSpace, second: StateSpace) -> tuple[Change, ...]:
    """Everything that differs, in the order of the files. Layout and order make no difference."""
    before, after = dict(_declared(first)), dict(_declared(second))
    return tuple(
        Change(kind, name, before.get((kind, name)), after.get((kind, name)))
        for kind, name in {**before, **after}
        if before.get((kind, name)) != after.get((kind, name))
    )


def _declared(space: StateSpace) -> Iterator[tuple[tuple[str, str], str]]:
    """What a space declares, as ((kind, name), text)."""
    docs = {"the file": space.doc}
    for clause in clauses(space):
        name, text = clause.text, ""
        if clause.word in ("ghost", "input", "limit"):
            name, _, text = clause.text.partition(" " if clause.word == "limit" else ":")
        kind = _KINDS.get(clause.word, clause.word)
        yield (kind, name.strip()), text.strip()
        docs[f"{kind} {name}".strip()] = clause.doc
    for step in space.transitions:
        arrow = f"{step.source} -- {step.action or step.call} --> {step.target or '(end)'}"
        yield ("transition", arrow), "; ".join(step.gates)
    for name in sorted(space.stops):
        yield ("transition", f"{name} --> (stop)"), ""
    actions = {action.name for action in space.actions}
    for rule in rules(space):
        kind = "terminal" if rule.is_terminal else "action" if rule.name in actions else "part"
        if rule.is_state:
            kind = "state"
        yield (kind, rule.name), "" if rule.is_state else rule.body
        docs[rule.name] = rule.doc
        for line in rule.contracts:
            yield ("contract", f"{rule.name}: {line}"), ""
    yield from ((("doc", name), doc) for name, doc in docs.items() if doc)

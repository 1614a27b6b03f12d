"""The first illegal step of a trace, in words: its place, the rule it breaks, what was legal."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from attrs import frozen

from statelang.clauses.values import Undefined, Value, spell
from statelang.compiling.env import Clause, Env
from statelang.regular.automaton import Regular
from statelang.walking.course import Course, Step
from statelang.walking.machine import Configuration, Machine


@frozen
class TraceError:
    """The first offending step: which (from 1), where, the rule it breaks, what was legal."""

    step: int
    line: int
    column: int
    rule: str
    message: str
    expected: tuple[str, ...] = ()


def grammar_error(course: Course, tail: bytes = b"") -> tuple[TraceError, tuple[Step, ...]]:
    """What is wrong where no reading of the grammar goes on: with what was read, which `tail` ends,
    or with the end. And the steps up to there that the course has not told, the last one perhaps
    not complete."""
    machine, begun = course.machine, course.begun()
    data = course.text.encode() + tail
    taken = machine.accepted(begun, data)
    while 0 < taken < len(data) and 0x80 <= data[taken] < 0xC0:
        taken -= 1  # to the beginning of the character that is not legal
    at = machine.advance(begun, data[:taken])
    assert at is not None
    trail = at.alive[0][1].trail
    number = 1 if trail is None else trail.number + (trail.end >= 0)
    expected = legal(machine, at)
    line, column = course.line_and_column(taken)
    shown = " or ".join(expected) or "nothing"
    if taken == len(data):
        message, rule = f"the trace ends before it is complete; legal here: {shown}", "incomplete"
    elif expected == ("the end",):
        message, rule = "the trace goes on after its end", "end"
    else:
        found = data[taken : taken + 20].decode(errors="replace").split("\n")[0] or "a line end"
        message, rule = f"`{found}` is not legal here; legal: {shown}", "grammar"
    steps = course.untold(trail, taken)
    return TraceError(number, line, column, rule, message, expected), steps


def ways_on(machine: Machine, configuration: Configuration) -> Iterator[tuple[str, str]]:
    """What may come next, as kind and name: `end`, an `action`, a `text` that begins within the
    step, or the `rest` of one."""
    for thread, env in configuration.alive:
        if thread.left is not None:
            yield "rest", _shown(thread.left)
            if not thread.left.nullable:
                continue
        for exit_ in machine.exits(thread):
            after = machine.apply(exit_.events, env, configuration.text, len(configuration.text))
            if after is None:
                continue
            if exit_.read is None:
                yield "end", "the end"
            elif after.trail is not env.trail and after.trail is not None:
                yield "action", machine.program.actions[after.trail.action]
            else:
                yield "text", exit_.read.name.replace("\n", "\\n")


def legal(machine: Machine, configuration: Configuration) -> tuple[str, ...]:
    """What may come next, in words: actions between two steps, texts and terminals within one."""
    quoted = ("action", "text")
    ways = ways_on(machine, configuration)
    return tuple(dict.fromkeys(f"`{name}`" if kind in quoted else name for kind, name in ways))


def _shown(left: Regular) -> str:
    text, state = bytearray(), left
    while state.kind in ("bytes", "then") and len(text) < 40 and not state.nullable:
        ways = [c for c in state.classes if state.step((c & -c).bit_length() - 1).live]
        if len(ways) != 1 or ways[0] & (ways[0] - 1):
            break
        byte = ways[0].bit_length() - 1
        text.append(byte)
        state = state.step(byte)
    literal = text.decode(errors="replace").replace("\n", "\\n")
    return f"`{literal}`" if literal else "more text"


def step_number(env: Env) -> int:
    """The number of the step that is under way or may begin."""
    return 1 if env.trail is None else env.trail.number + (env.trail.end >= 0)


def contract_error(judged: Course, actions: dict[int, str]) -> TraceError:
    """The clause that the written action breaks: of all broken ones, the one read furthest.

    `actions` are the steps that the grammar reads, by number, as far as they are known.
    """

    def is_written(env: Env) -> bool:
        number, trail = step_number(env), env.trail
        if number not in actions:
            return False
        if trail is None or trail.end >= 0:
            return True
        return actions[number] == judged.machine.program.actions[trail.action]

    blamed = judged.blame.entries
    entries = [entry for entry in blamed if is_written(entry[1].env)] or blamed
    offset, broken = max(entries, key=lambda entry: entry[0])
    clause, env = broken.clause, broken.env
    line, column = judged.line_and_column(offset)
    number = step_number(env)
    name = actions.get(number, "the end")
    message = f"step {number}, `{name}`: `{clause.text}` does not hold{_detail(clause, env)}"
    return TraceError(number, line, column, clause.text, message)


def _detail(clause: Clause, env: Env) -> str:
    from statelang.clauses.expression import Compare, Field, Rounded, Written

    expression = clause.expression
    if isinstance(expression, Written):
        field, due = expression.target, expression.due(env)
        return f": `{field.name}` is `{env.slots[field.slot]}`, due is `{due}`"
    if not isinstance(expression, (Compare, Rounded)):
        return ""
    try:
        left, right = expression.left.evaluate(env), expression.right.evaluate(env)
    except Undefined as undefined:
        return f": {undefined}"
    try:
        if isinstance(expression.left, Field):
            return f": `{expression.left.name}` is `{_written(left)}`, due is `{_written(right)}`"
    except Undefined:
        pass  # a value that cannot be written is not shown
    return ""


def _written(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return spell(value)
    raise Undefined

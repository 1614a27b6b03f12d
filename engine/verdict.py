"""Judge a trace: does it parse, is every step right, does it match the gold answer?

Needs no model and no tensor library. A trace is read once as plain grammar and once with its
contracts; the three verdicts are kept apart (an answer alone leaves wrong steps in place:
RL-STaR, arXiv 2410.23912).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from attrs import frozen

from statelang.automaton import Regular
from statelang.diagnostics import StatelangError
from statelang.env import Broken, Clause, Env, Trail
from statelang.events import Event
from statelang.machine import Blame, Configuration, Machine
from statelang.space import StateSpace
from statelang.tools import Function
from statelang.values import Number, Undefined, Value, read_number, spell

MAX_BYTES = 16_000_000


@frozen
class Step:
    """One action of a trace and its place, in characters."""

    action: str
    start: int
    end: int


@frozen
class TraceError:
    """The first offending step: which (from 1), where, the rule it breaks, what was legal."""

    step: int
    line: int
    column: int
    rule: str
    message: str
    expected: tuple[str, ...] = ()


@frozen
class Verdict:
    """Three verdicts on one trace.

    `contracts` is None where the grammar already fails; `answer` is None without a gold answer or
    where the space declares none. `found` is the answer that the trace gives.
    """

    grammar: bool
    contracts: bool | None
    answer: bool | None
    error: TraceError | None = None
    steps: tuple[Step, ...] = ()
    found: str | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing fails; None counts as neither."""
        return self.grammar and self.contracts is not False and self.answer is not False

    def as_dict(self) -> dict[str, Any]:
        """The verdict as plain values, for JSON."""
        error = self.error
        return {
            "grammar": self.grammar,
            "contracts": self.contracts,
            "answer": self.answer,
            "error": None
            if error is None
            else {
                "step": error.step,
                "line": error.line,
                "column": error.column,
                "rule": error.rule,
                "message": error.message,
                "expected": list(error.expected),
            },
        }


@lru_cache(maxsize=32)
def _machines(space: StateSpace) -> tuple[Machine, Machine]:
    return Machine(space, contracts=False), Machine(space, guards=False)


def validate(
    space: StateSpace,
    text: str,
    problem: Mapping[str, Any] | None = None,
    tools: Mapping[str, Function] | None = None,
) -> Verdict:
    """The verdicts on one trace.

    Args:
        space: The state space.
        text: The whole trace, without a stop token.
        problem: `answer` (the gold answer, if there is one) and the space's inputs.
        tools: The functions that `writes` clauses name, to run them again and compare; without
            them, what stands in such a field is taken as it is.

    Raises:
        StatelangError: an input that the space declares, or a function, is missing or of another
            type.
    """
    plain, judging = _machines(space)
    start = judging.start(problem, tools)
    try:
        data = text.encode()
    except UnicodeEncodeError as surrogate:
        data = text[: surrogate.start].encode() + b"\xff"
    if len(data) > MAX_BYTES:
        raise StatelangError(
            f"a trace of {len(data):,} bytes is too long to judge; at most {MAX_BYTES:,} are read"
        )
    blank = Configuration(((plain.thread(space.program.entry, None, (), None), start.alive[0][1]),))
    read = plain.advance(blank, data)
    ended = plain.ends(read) if read is not None else None
    if ended is None:
        error, steps = _grammar_error(plain, blank, data)
        return Verdict(False, None, _answer(space, None, problem), error, steps)
    steps = _steps(space, ended.trail, data)
    blame = Blame()
    judged = judging.advance(start, data, blame)
    final = judging.ends(judged, blame) if judged is not None else None
    if final is None:
        error = _contract_error(space, blame, steps, data)
        found = _found_in_grammar(space, data, problem)
        return Verdict(True, False, _answer(space, found, problem), error, steps, found)
    found = _found(space, final)
    return Verdict(True, True, _answer(space, found, problem), None, steps, found)


def _steps(space: StateSpace, trail: Trail | None, data: bytes) -> tuple[Step, ...]:
    found = []
    while trail is not None:
        end = trail.end if trail.end >= 0 else len(data)
        found.append((space.program.actions[trail.action], trail.start, end))
        trail = trail.before
    ascii_only = data.isascii()

    def place(offset: int) -> int:
        return offset if ascii_only else len(data[:offset].decode(errors="replace"))

    return tuple(Step(name, place(start), place(end)) for name, start, end in reversed(found))


def _line_and_column(data: bytes, offset: int) -> tuple[int, int]:
    before = data[:offset]
    line_start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[line_start:].decode(errors="replace")) + 1


# ---- the first error -------------------------------------------------------------------------


def _grammar_error(
    plain: Machine, start: Configuration, data: bytes
) -> tuple[TraceError, tuple[Step, ...]]:
    taken = plain.accepted(start, data)
    while 0 < taken < len(data) and 0x80 <= data[taken] < 0xC0:
        taken -= 1  # to the beginning of the character that is not legal
    at = plain.advance(start, data[:taken])
    assert at is not None
    trail = at.alive[0][1].trail
    number = 1 if trail is None else trail.number + (trail.end >= 0)
    expected = legal(plain, at)
    line, column = _line_and_column(data, taken)
    shown = " or ".join(expected) or "nothing"
    if taken == len(data):
        message, rule = f"the trace ends before it is complete; legal here: {shown}", "incomplete"
    elif expected == ("the end",):
        message, rule = "the trace goes on after its end", "end"
    else:
        found = data[taken : taken + 20].decode(errors="replace").split("\n")[0] or "a line end"
        message, rule = f"`{found}` is not legal here; legal: {shown}", "grammar"
    steps = _steps(plain.space, trail, data[:taken])
    return TraceError(number, line, column, rule, message, expected), steps


def legal(machine: Machine, configuration: Configuration) -> tuple[str, ...]:
    """What may come next, in words: actions between two steps, texts and terminals within one."""
    found: dict[str, None] = {}
    for thread, env in configuration.alive:
        if thread.left is not None:
            found[_shown(thread.left)] = None
        if thread.left is not None and not thread.left.nullable:
            continue
        for exit_ in machine.exits(thread):
            after = machine.apply(exit_.events, env, configuration.text, len(configuration.text))
            if after is None:
                continue
            if exit_.read is None:
                found["the end"] = None
            elif after.trail is not env.trail and after.trail is not None:
                found[f"`{machine.program.actions[after.trail.action]}`"] = None
            else:
                found[f"`{exit_.read.name}`".replace("\n", "\\n")] = None
    return tuple(found)


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


def _contract_error(
    space: StateSpace, blame: Blame, steps: tuple[Step, ...], data: bytes
) -> TraceError:
    """The clause that the written action breaks: of all broken ones, the one read furthest."""

    def number_of(env: Env) -> int:
        return 1 if env.trail is None else env.trail.number + (env.trail.end >= 0)

    def is_written(env: Env) -> bool:
        number, trail = number_of(env), env.trail
        if number > len(steps):
            return False
        if trail is None or trail.end >= 0:
            return True
        return steps[number - 1].action == space.program.actions[trail.action]

    entries = [entry for entry in blame.entries if is_written(entry[1].env)] or blame.entries
    offset, broken = max(entries, key=lambda entry: entry[0])
    clause, env = broken.clause, broken.env
    line, column = _line_and_column(data, offset)
    number = number_of(env)
    name = steps[number - 1].action if number <= len(steps) else "the end"
    message = f"step {number}, `{name}`: `{clause.text}` does not hold{_detail(clause, env)}"
    return TraceError(number, line, column, clause.text, message)


def _detail(clause: Clause, env: Env) -> str:
    from statelang.expression import Compare, Field, Rounded, Written

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


# ---- answers ---------------------------------------------------------------------------------


def _found(space: StateSpace, env: Env) -> str | None:
    answer = space.answer
    if answer is None or answer.action not in env.lasts:
        return None
    found = env.lasts[answer.action][answer.slot]
    return found if isinstance(found, str) else None


def _found_in_grammar(
    space: StateSpace, data: bytes, problem: Mapping[str, Any] | None
) -> str | None:
    """The answer of a trace whose contracts fail: its fields are read, its conditions are not."""
    machine = _lenient(space)
    read = machine.advance(machine.start(problem), data)
    final = machine.ends(read) if read is not None else None
    return _found(space, final) if final is not None else None


class _Lenient(Machine):
    """Reads fields and judges nothing."""

    def apply(
        self,
        events: tuple[Event, ...],
        env: Env,
        text: bytes,
        at: int,
        base: int = 0,
        blame: Blame | None = None,
    ) -> Env | None:
        for event in events:
            done = event.apply(env, text, at, base)
            env = done.env if isinstance(done, Broken) else done
        return env


@lru_cache(maxsize=32)
def _lenient(space: StateSpace) -> Machine:
    return _Lenient(space, guards=False)


def _answer(space: StateSpace, found: str | None, problem: Mapping[str, Any] | None) -> bool | None:
    gold = (problem or {}).get("answer")
    if gold is None or space.answer is None:
        return None
    if found is None:
        return False
    return same_answer(found, gold, space.answer.comparison)


def same_answer(found: str, gold: Any, comparison: str) -> bool:
    """Whether two answers agree: numbers by value, choices without case, texts as they stand.

    Rows are lines of cells with `|` between them, or a list of lists; cells compare by value where
    both are numbers, and the order of the rows counts only for `ordered rows`.
    """
    if comparison in ("rows", "ordered rows"):
        ours, theirs = _rows(found), _rows(gold)
        if comparison == "ordered rows":
            return ours == theirs
        return Counter(ours) == Counter(theirs)
    gold_text = str(gold)
    if comparison == "number":
        try:
            return read_number(found.strip()) == read_number(gold_text.strip())
        except Undefined:
            return False
    if comparison == "choice":
        return found.strip().casefold() == gold_text.strip().casefold()
    return found == gold_text


def _rows(table: Any) -> list[tuple[Number | str, ...]]:
    if isinstance(table, str):
        table = [line.split("|") for line in table.splitlines() if line.strip()]
    if not isinstance(table, Sequence):
        return [(str(table),)]
    rows = (row if isinstance(row, (list, tuple)) else (row,) for row in table)
    return [tuple(_cell(str(cell).strip()) for cell in row) for row in rows]


def _cell(text: str) -> Number | str:
    try:
        return read_number(text)
    except Undefined:
        return text

"""The verdicts on one trace: grammar, contracts and answer, kept apart.

An answer alone leaves wrong steps in place (RL-STaR, arXiv 2410.23912).
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from statelang.course import Step


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

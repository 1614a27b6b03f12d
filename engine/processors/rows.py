"""Which sequence is which, from one step of a decoder to the next.

A decoder shows whole rows of tokens and nothing else: samples grow by one token, beams change
places, assisted decoding goes back. A row is known by what it holds, compared in full (in arrays),
and goes on from the row of the step before that holds the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy.typing as npt
from attrs import define, evolve

from statelang.diagnostics import StatelangError
from statelang.engine.steering.matcher import Matcher

Ids = npt.NDArray[Any]
_MOST_KEPT: Final = 4  # an assistant with a tokenizer of its own shows its rows in between


@define(eq=False)
class _Sequence:
    """A matcher, and how many of a row's generated tokens it has read: fewer than there are, where
    the trace has ended or the next token was not legal."""

    matcher: Matcher
    read: int = 0

    def copy(self) -> _Sequence:
        return evolve(self, matcher=self.matcher.copy())

    def follow(self, generated: int, token: int) -> Matcher | None:
        """Go on to a row of so many generated tokens, given the last one; the step before was as
        long, shorter by one, or longer."""
        if self.read >= generated:
            self.matcher.rollback(self.read - generated + 1)
            self.read = generated - 1
        if self.read == generated - 1 and self.matcher.consume_token(token):
            self.read = generated
        return self.matcher if self.read == generated or self.matcher.is_stopped() else None


@define(eq=False)
class _Generation:
    """The rows that came from one batch of prompts, all of one length, as they were last seen."""

    prompt: int
    rows: Ids
    sequences: list[_Sequence]

    def follow(self, rows: Ids, problems: int) -> list[Matcher | None] | None:
        """The matcher of each row, as `Rows.follow` gives it; None where these rows are prompts.

        They are where one of them goes on from no row known; or from rows that went on further
        before, but no token that is new is legal.
        """
        known = rows.shape[1] - 1
        if known < self.prompt or known > self.rows.shape[1]:
            return None
        before = self.rows[:, :known]
        if len(before) != len(rows) or not (before == rows[:, :known]).all():
            parents = _parents(before, rows[:, :known], problems)
            if parents is None:
                return None
            self.sequences = [self.sequences[parent].copy() for parent in parents]
        generated, new = rows.shape[1] - self.prompt, rows[:, -1].tolist()
        found = [s.follow(generated, t) for s, t in zip(self.sequences, new, strict=True)]
        if known < self.rows.shape[1] and all(matcher is None for matcher in found):
            self.rows = self.rows[:, :0]  # it is over
            return None
        self.rows = rows.copy()  # a decoder may write the next step into the same memory
        return found


def _parents(before: Ids, rows: Ids, problems: int) -> list[int] | None:
    """For each row, one before that holds the same and belongs to the same problem."""
    each, size = len(rows) // problems, len(before) // problems
    result = []
    for index, row in enumerate(rows):
        first = index // each * size
        same = (before[first : first + size] == row).all(axis=1)
        if not same.any():
            return None
        result.append(first + int(same.argmax()))
    return result


class Rows:
    """Finds the matcher of each row.

    Args:
        begin: Gives a matcher at the start of each problem.
        problems: How many there are.
    """

    def __init__(self, begin: Callable[[], list[Matcher]], problems: int) -> None:
        self._begin = begin
        self._problems = problems
        self._kept: list[_Generation] = []

    def forget(self) -> None:
        """Take the next rows for prompts, whatever they hold."""
        self._kept.clear()

    def follow(self, rows: Ids) -> list[Matcher | None]:
        """The matcher of each row, all of its generated tokens consumed.

        Rows that go on from none seen before are prompts. The rows of one prompt stand together:
        as many for each problem, in the order of the problems.

        Args:
            rows: Integers, shape (rows, length).

        Returns:
            For each row its matcher, stopped where the trace has ended, whatever the decoder wrote
            after it; None where a token was not legal (beams and drafts that are then dropped).

        Raises:
            StatelangError: the rows cannot be shared out among the problems.
        """
        each, rest = divmod(len(rows), self._problems)
        if rest or not each:
            raise StatelangError(
                f"{len(rows)} sequences cannot be shared out among {self._problems} problems; give "
                "one problem for each prompt, in the order of the prompts, or one for all"
            )
        for generation in self._kept:
            found = generation.follow(rows, self._problems)
            if found is not None:
                self._kept.remove(generation)
                self._kept.insert(0, generation)
                return found
        sequences = [_Sequence(start.copy()) for start in self._begin() for _ in range(each)]
        self._kept.insert(0, _Generation(rows.shape[1], rows.copy(), sequences))
        del self._kept[_MOST_KEPT:]
        return [sequence.matcher for sequence in sequences]

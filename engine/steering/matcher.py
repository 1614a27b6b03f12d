"""One sequence and its mask, in the shape that users of llguidance and xgrammar know.

A step that has been met before, in this sequence or another, is one look-up: states are shared
(`statelang.engine.masks.states`), and the exact configuration is only made when something asks for
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from attrs import define, fields

from statelang.clauses.values import Value
from statelang.diagnostics import StatelangError
from statelang.engine.masks.bits import Row, holds
from statelang.engine.masks.bounds import FAR
from statelang.engine.masks.masking import Sparse, mask_logits
from statelang.engine.masks.states import State
from statelang.engine.steering.budget import Budget
from statelang.engine.steering.forcing import due, whole
from statelang.engine.steering.guide import Guide, Position, guide
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.loader import loads
from statelang.space import StateSpace
from statelang.tools import Function
from statelang.walking.machine import Configuration

_NEAR: Final = 64  # tokens from an exact position, up to which going back replays them
_MOST_FORCED: Final = 4_096
_ALL: Final = slice(None)


@define(init=False, eq=False, repr=False)  # slots: a step takes two thirds of the time
class Matcher:
    """Follows one sequence of tokens through a state space.

    Args:
        space: The state space.
        vocabulary: The tokens.
        problem: The space's inputs.
        max_tokens: The budget, stop token included: the masks lead to a complete trace within it.
        contracts: False for the plain grammar.
        tools: The functions that `writes` clauses name; a snapshot holds them too.

    Raises:
        StatelangError: an input is missing, no trace can be written, or the budget is too small
            (the least known is named).
    """

    guide: Guide
    _given: tuple[Mapping[str, Any] | None, int | None, Mapping[str, Function] | None]
    _lengths: list[int]
    _words: int
    _tokens: list[int]
    _known: list[tuple[int, Position]]  # exact positions, each with the tokens before it
    _place: State  # the shared state
    _state: State  # what masks are looked up in: the same, but for a budget
    _room: int  # bytes that may be read before a bound is near
    _left: int | None  # tokens of the budget
    _bound: int  # tokens within which the trace can end
    _budget: Budget | None
    _view: memoryview  # of the row of a bitmask that was filled last
    _filled: Any
    _index: int

    def __init__(
        self,
        space: StateSpace,
        vocabulary: Vocabulary,
        problem: Mapping[str, Any] | None = None,
        max_tokens: int | None = None,
        *,
        contracts: bool = True,
        tools: Mapping[str, Function] | None = None,
    ) -> None:
        self.guide = guide(space, vocabulary, contracts)
        self._begin(problem, max_tokens, tools)

    @classmethod
    def of(
        cls,
        guide: Guide,
        problem: Mapping[str, Any] | None = None,
        max_tokens: int | None = None,
        tools: Mapping[str, Function] | None = None,
    ) -> Matcher:
        """A matcher over a guide of one's own. Raises StatelangError as the class does."""
        result = cls.__new__(cls)
        result.guide = guide
        result._begin(problem, max_tokens, tools)
        return result

    def _begin(
        self,
        problem: Mapping[str, Any] | None,
        max_tokens: int | None,
        tools: Mapping[str, Function] | None,
    ) -> None:
        self._given = problem, max_tokens, tools
        self._lengths = self.guide.vocabulary.lengths
        self._words = -(-len(self._lengths) // 32)
        self._tokens = []
        start = self.guide.start(problem, max_tokens, tools)
        self._known = [(0, start)]
        self._view, self._filled, self._index = memoryview(b""), None, 0
        self._stand(start)

    # -- steps

    def consume_token(self, token: int) -> bool:
        """Go on by one token; False, and nothing changes, where it is not legal."""
        try:
            self._place = self._state = self._state.following[token]
        except KeyError:  # to `get` it would take a third longer
            pass
        else:
            self._tokens.append(token)
            return True
        return self._consume(token)

    def try_consume_tokens(self, tokens: Sequence[int]) -> int:
        """Go on by as many of some tokens as are legal in a row; how many."""
        for count, token in enumerate(tokens):
            if not self.consume_token(token):
                return count
        return len(tokens)

    def consume_tested(self, tokens: Sequence[int]) -> int:
        """Go on by tokens known to be legal, as `forced_tokens` gives them: no mask is made for
        them. By how many: fewer where a budget is nearly spent."""
        for count, token in enumerate(tokens):
            is_plain = token in self._place.following or holds(self._place.table.row, token)
            if (self._left is not None or not is_plain) and self._jump(tokens[count:]):
                return len(tokens)
            if not self.consume_token(token):
                return count
        return len(tokens)

    def _jump(self, tokens: Sequence[int]) -> bool:
        """Be after some legal tokens at once; False where a budget does not let it."""
        configuration = self._position().configuration
        if configuration is None or not self.guide.vocabulary.stops.isdisjoint(tokens):
            return False
        after = self.guide.machine.advance(configuration, self.guide.vocabulary.decode(tokens))
        return after is not None and self._reach(after, tokens)

    def _reach(self, after: Configuration, tokens: Sequence[int]) -> bool:
        """Be where some tokens lead; False where no way to the end from there fits a budget."""
        position = Position(after)
        if self._left is not None and self._budget is not None:
            left = self._left - len(tokens)
            if not self._budget.endings.fits(after, left):
                return False
            position = Position(after, left, self._budget.endings.bound(after), self._budget)
        self._tokens.extend(tokens)
        self._known.append((len(self._tokens), position))
        self._stand(position)
        return True

    def validate_tokens(self, tokens: Sequence[int]) -> int:
        """How many of some tokens are legal in a row; nothing changes."""
        return self.copy().try_consume_tokens(tokens)

    def rollback(self, count: int) -> None:
        """Take the last tokens back. Raises StatelangError where there are not so many."""
        if not 0 <= count <= len(self._tokens):
            raise StatelangError(
                f"{count} tokens cannot be taken back, {len(self._tokens)} were consumed; give a "
                "number between 0 and that"
            )
        tokens = self._tokens[: len(self._tokens) - count]
        while self._known[-1][0] > len(tokens):
            self._known.pop()
        length, position = self._known[-1]
        if len(tokens) - length > _NEAR and not self.is_limited:
            self._tokens = tokens
            length, position = len(tokens), self._position()
        self._tokens = tokens[:length]
        self._stand(position)
        self._replay(tokens[length:])

    def reset(self) -> None:
        """Take every token back."""
        self.rollback(len(self._tokens))

    def copy(self) -> Matcher:
        """Another matcher at the same place; the two go on apart."""
        result = Matcher.__new__(Matcher)
        for each in fields(Matcher):
            setattr(result, each.name, getattr(self, each.name))
        result._tokens = self._tokens.copy()
        result._known = self._known.copy()
        return result

    def unlimited(self) -> Matcher:
        """Another matcher at the same place, without the budget."""
        result = self.copy()
        problem, _, tools = self._given
        result._given, result._left, result._budget = (problem, None, tools), None, None
        result._known = [(n, Position(p.configuration, ended=p.ended)) for n, p in self._known]
        result._stand(result._position())
        return result

    def catch_up(self, other: Matcher) -> bool:
        """Be where another matcher stands that has gone on from here; False, and nothing changes,
        where it has stopped, or where no way to the end from there is known to fit the budget."""
        after, tokens = other.configuration, other._tokens[len(self._tokens) :]
        return after is not None and self._reach(after, tokens)

    # -- masks

    def compute_bitmask(self) -> Row:
        """The legal tokens, without a copy: token `i` is bit `i % 32` of word `i // 32`.

        Returns:
            int32, shape (words,), read-only.
        """
        row = self._state.row
        return row if row is not None else self._row()

    def fill_next_token_bitmask(self, bitmask: Any, index: int = 0) -> None:
        """Write the legal tokens into one row of a bitmask; words beyond the vocabulary become 0.

        Args:
            bitmask: int32, shape (rows, words), of numpy or of torch on the CPU.
            index: The row.
        """
        row = self._state.bits
        if row is None:
            row = self._bits()
        if bitmask is not self._filled or index != self._index:
            self._fill(bitmask, index)
        self._view[_ALL] = row  # faster than an assignment to the array

    def _fill(self, bitmask: Any, index: int) -> None:
        """Have the row of a bitmask at hand, as it is mostly the same one again."""
        array = bitmask if isinstance(bitmask, np.ndarray) else bitmask.numpy()
        if array.dtype != np.int32 or array.ndim != 2 or array.shape[1] < self._words:
            raise StatelangError(
                f"a bitmask of shape {array.shape} and type {array.dtype} cannot hold the mask; it "
                f"takes int32, shape (rows, {self._words}) or wider"
            )
        array[index, self._words :] = 0
        self._view = array[index, : self._words].data
        self._index = index
        self._filled = bitmask if array.shape[1] == self._words else None

    def mask_logits(self, logits: Any, index: int = 0) -> None:
        """Make every token that is not legal impossible in one row of logits, in place.

        Args:
            logits: Floats, shape (rows, tokens), of numpy or of torch.
            index: The row.
        """
        mask = self._state.sparse or self._sparse()
        if isinstance(logits, np.ndarray):
            mask.apply(logits[index])
        else:
            mask_logits(logits[index : index + 1], [mask])

    def allows(self, token: int) -> bool:
        """Whether a token is legal; for one token this costs less than the mask of all."""
        if self._state.row is not None:
            return holds(self._state.row, token)
        if self._left is not None and self._budget is not None:
            return self._budget.allows(self._place, token, self._left, self._bound)
        return self.guide.states.allows(self._place, token)

    def legal_tokens(self) -> npt.NDArray[np.int64] | None:
        """The legal tokens, ascending, where they are the fewer: a sampler that looks at
        `logits[tokens]` alone need not touch the others. None where most tokens are legal, for
        `mask_logits` to rule the others out."""
        mask = self._state.sparse or self._sparse()
        return mask.ids if mask.are_legal else None

    def forced_tokens(self) -> list[int]:
        """Tokens of the text that must come next whatever is chosen, as the tokenizer would write
        it; the end of that text is left out where a longer token might hold it."""
        text = due(self.guide.machine, self.guide.everything, self._position().configuration)
        return whole(self.guide.vocabulary, text)

    # -- where it stands

    @property
    def state(self) -> State:
        """The shared state it stands in."""
        return self._place

    @property
    def tokens(self) -> tuple[int, ...]:
        """The tokens consumed so far."""
        return tuple(self._tokens)

    @property
    def length(self) -> int:
        """How many tokens were consumed."""
        return len(self._tokens)

    @property
    def trace(self) -> str:
        """The text written so far, without a last character that is not whole yet."""
        return self.guide.vocabulary.decode(self._tokens).decode(errors="ignore")

    @property
    def configuration(self) -> Configuration | None:
        """Exactly where it stands; None once stopped."""
        return self._position().configuration

    @property
    def registers(self) -> dict[str, Value]:
        """The values of the registers after the last complete step. Empty once stopped."""
        configuration = self._position().configuration
        if configuration is None:
            return {}
        program = self.guide.machine.program
        names = [name for name, _, _ in program.registers]
        values = dict(zip(names, configuration.alive[0][1].registers, strict=True))
        if program.tools is not None:
            del values[names[program.tools]]
        return values

    def is_accepting(self) -> bool:
        """Whether the trace may end here."""
        configuration = self._position().configuration
        return configuration is not None and self.guide.machine.ends(configuration) is not None

    @property
    def is_limited(self) -> bool:
        """Whether it has a budget."""
        return self._left is not None

    @property
    def spare(self) -> int:
        """Tokens of the budget beyond those within which the trace can end, without one FAR."""
        return FAR if self._left is None else self._left - self._bound

    def is_narrowed(self) -> bool:
        """Whether the budget closes a token here that would be legal without it."""
        return self.guide.states.row(self._place) is not self.compute_bitmask()

    def is_stopped(self) -> bool:
        """Whether a stop token has been consumed."""
        return self._known[-1][1].ended

    # -- behind the look-up

    def _stand(self, position: Position) -> None:
        """Be at an exact position."""
        self._place, self._room = self.guide.standing(position)
        self._left, self._bound, self._budget = position.left, position.bound, position.budget
        self._state = self._place if self._left is None else self._limited(self._place)

    def _limited(self, place: State) -> State:
        """Under a budget each place has a mask of its own."""
        return State(None, place.table, {})

    def _position(self) -> Position:
        """The exact position."""
        length, position = self._known[-1]
        if length < len(self._tokens):
            assert position.configuration is not None
            text = self.guide.vocabulary.decode(self._tokens[length:])
            configuration = self.guide.machine.advance(position.configuration, text)
            assert configuration is not None
            position = Position(configuration, self._left, self._bound, self._budget)
            self._known.append((len(self._tokens), position))
        return position

    def _replay(self, tokens: Sequence[int]) -> None:
        """Go on by tokens that were legal before; near the end of a budget this may have been known
        by a way that has been forgotten."""
        for token in tokens:
            if not self._follow(token):
                self._step(token)

    def _consume(self, token: int) -> bool:
        """Go on by a token where a bound or a budget is counted, or where none has gone before."""
        if self._left is not None:
            return self.allows(token) and (self._follow(token) or self._step(token))
        return self._follow(token) or (self.allows(token) and self._go(token))

    def _go(self, token: int) -> bool:
        """Go on by a legal token: by what it does to the sequence that was first at this state, and
        only where that tells nothing, as near a bound, by where this sequence exactly is."""
        self.guide.states.learn(self._place, token)
        return self._follow(token) or self._step(token)

    def _step(self, token: int) -> bool:
        """Go on by a token that no other sequence is known to have gone on by."""
        before, position = self._place, self._position()
        after = self.guide.advance(position, token)
        if after is None:
            return False
        self._tokens.append(token)
        self._known.append((len(self._tokens), after))
        self._stand(after)
        if after.configuration is not None:
            assert position.configuration is not None
            self.guide.states.link(
                before, position.configuration, token, self._place, after.configuration
            )
        return True

    def _follow(self, token: int) -> bool:
        """Go on by a token as another sequence has gone on; False where none is known to."""
        before, room = self._place, self._room
        following = before.staying.get(token)
        if following is not None:
            room -= self._lengths[token]
        else:
            following = before.following.get(token)
            if following is None:
                length = self._lengths[token] if 0 <= token < len(self._lengths) else 0
                following, room = before.known(token, length, room)
        if following is None or room < 0:
            return False
        self._place, self._room = following, room
        self._tokens.append(token)
        if self._left is None:
            self._state = following
            return True
        if self._budget is not None:
            self._bound = self._budget.bound(before, self._bound, token, following)
        self._left -= 1
        self._state = self._limited(following)
        return True

    def _row(self) -> Row:
        if self._left is None:
            return self.guide.states.row(self._state)
        row = self.guide.states.row(self._place)
        if self._left is not None and self._budget is not None:
            row = self._budget.row(self._place, self._left, self._bound)
        self._state.row = row
        return row

    def _bits(self) -> memoryview:
        bits = self._state.bits = self.compute_bitmask().data
        return bits

    def _sparse(self) -> Sparse:
        sparse = self._state.sparse = self.guide.states.sparse(self.compute_bitmask())
        return sparse

    def __getstate__(self) -> dict[str, Any]:
        return {
            "source": self.guide.space.source,
            "vocabulary": self.guide.vocabulary,
            "contracts": self.guide.machine.contracts,
            "given": self._given,
            "tokens": self._tokens,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        source = state["source"]
        self.guide = guide(loads(source.text, source.name), state["vocabulary"], state["contracts"])
        self._begin(*state["given"])
        self._replay(state["tokens"])

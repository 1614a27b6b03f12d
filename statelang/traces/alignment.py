"""The cheapest way to turn the steps of a text into an order that the control graph allows.

The optimal alignment of process mining (W. van der Aalst, A. Adriansyah, B. van Dongen, Replaying
history on process models for conformance checking and performance analysis, WIREs Data Mining and
Knowledge Discovery 2(2), 2012), with a third move that replaces a step. Each edit costs 1.
"""

from __future__ import annotations

from functools import lru_cache
from heapq import heappop, heappush
from itertools import count
from typing import Final

from attrs import frozen

from statelang.space import StateSpace
from statelang.traces.control import Control, Place
from statelang.traces.pieces import Piece, Pieces

_MOST_VISITED: Final = 30_000  # pairs of a place in the text and in the graph, behind some edit


@frozen
class Move:
    """One piece of the text, one step of the space, or both; `edits` is 0 where they agree."""

    piece: Piece | None
    action: str | None

    @property
    def edits(self) -> int:
        """What the move costs."""
        return int(self.piece is None or self.action is None or self.piece.action != self.action)


@frozen
class Alignment:
    """Moves that lead from the text to a legal order of steps.

    `cost` is the number of edits: the least, unless `cut` says that the search met its bound.
    `worst` is the cost of deleting every piece and inserting the shortest legal trace.
    """

    moves: tuple[Move, ...]
    cost: int
    worst: int
    cut: bool

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The text as it was cut."""
        return tuple(move.piece for move in self.moves if move.piece is not None)


@lru_cache(maxsize=32)
def control(space: StateSpace) -> Control:
    """The control graph of a space, made once."""
    return Control(space)


_Node = tuple[int, Place | None]


def align(space: StateSpace, data: bytes) -> Alignment:
    """The cheapest alignment of a text, the one with the latest edits among equals.

    Dijkstra's search over (byte offset, place in the control graph). Bounded by 30,000 such pairs
    that cost an edit (what costs none is as long as the text), and by 2,000,000 bytes walked; past
    a bound what is left of the text is deleted.
    """
    graph, pieces = control(space), Pieces(space, data)
    shortest = graph.start.left if graph.start else 0
    numbers = count()  # of equals the one met first
    first: _Node = (0, graph.start)
    best: dict[_Node, int] = {first: 0}
    came: dict[_Node, tuple[_Node, Move]] = {}
    todo = [(0, 0, next(numbers), first)]
    settled: set[_Node] = set()
    furthest, end = first, None
    visited = 0
    while todo and visited < _MOST_VISITED:
        cost, _, _, node = heappop(todo)
        if node in settled:
            continue
        settled.add(node)
        visited += bool(cost)
        offset, place = node
        if offset == len(data) and graph.ends(place):
            end = node
            break
        if offset > furthest[0]:
            furthest = node
        for move, after in _moves(graph, pieces, offset, place):
            total = cost + move.edits
            if total < best.get(after, total + 1):
                best[after] = total
                came[after] = node, move
                heappush(todo, (total, -after[0], next(numbers), after))
    moves = _path(came, end or furthest)
    if end is None:
        moves += _rest(graph, pieces, *furthest)
    length = sum(move.piece is not None for move in moves)
    cost = sum(move.edits for move in moves)
    return Alignment(tuple(moves), cost, length + shortest, end is None or pieces.cut)


def _moves(
    graph: Control, pieces: Pieces, offset: int, place: Place | None
) -> list[tuple[Move, _Node]]:
    """Every move from a node: what agrees first, then insertions, replacements, the deletion."""
    steps = graph.steps(place)
    found = [(Move(None, action), (offset, to)) for action, to in steps]
    if offset == len(pieces.data):
        return found
    for piece in pieces.at(offset):
        found += [(Move(piece, action), (piece.end, to)) for action, to in steps]
        found.append((Move(piece, None), (piece.end, place)))
    return sorted(found, key=lambda one: one[0].edits)


def _path(came: dict[_Node, tuple[_Node, Move]], node: _Node) -> list[Move]:
    moves = []
    while node in came:
        node, move = came[node]
        moves.append(move)
    return moves[::-1]


def _rest(graph: Control, pieces: Pieces, offset: int, place: Place | None) -> list[Move]:
    """Delete what follows and insert the shortest way to the end."""
    moves = []
    while offset < len(pieces.data):
        piece = pieces.at(offset)[-1]
        moves.append(Move(piece, None))
        offset = piece.end
    while not graph.ends(place):
        assert place is not None
        action, place = min(graph.steps(place), key=lambda step: step[1].left if step[1] else 0)
        moves.append(Move(None, action))
    return moves

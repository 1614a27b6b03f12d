"""A layered drawing of a small directed graph: ranks from top to bottom, every label its own place.

Knows nothing of state spaces or of SVG. Back edges are turned round, nodes ranked by the longest
path, labels put on ranks of their own. Then straight columns are placed one after the other, each
as near to what it joins as what lies there already allows: nodes on one way down first, then the
lines beside them, short ones inside. So nothing ever overlaps, and lines run upright.
"""

from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

_GAP = 18.0  # between neighbours on a rank, in pixels
_LEAN = 60.0  # how far a line may be longer for being on its side
_PASS = 3.0  # half the width of a line that passes a rank


@frozen
class Edge:
    """A wish: a line from source to target (never the same), with a label of a width in pixels."""

    source: str
    target: str
    label: float


@frozen
class Route:
    """An edge is a column at `x` on the `ranks` between its ends; its label is on one of them."""

    x: float
    ranks: range  # from the upper end to the lower, ends excluded
    label: int
    back: bool


@frozen
class Layout:
    """Ranks are even for nodes, odd for labels; x is in pixels, from 0 to `width`."""

    rank: Mapping[str, int]
    x: Mapping[str, float]
    routes: tuple[Route, ...]  # in the order of the edges asked for
    width: float


class _Floor:
    """What lies on each rank already, as (from, to) in pixels."""

    def __init__(self) -> None:
        self.taken: dict[int, list[tuple[float, float]]] = {}

    def place(self, boxes: Mapping[int, tuple[float, float]], wish: float) -> float:
        """Put a column (rank -> pixels left and right of it) nearest to the wish; return its x."""
        barred = sorted(
            (start - right - _GAP, end + left + _GAP)
            for rank, (left, right) in boxes.items()
            for start, end in self.taken.get(rank, [])
        )
        x = wish
        low = high = float("-inf")  # the ends of what is barred in one piece
        for start, end in barred:
            if start >= high:
                if low < wish < high:
                    break
                low, high = start, end
            high = max(high, end)
        if low < wish < high:
            x = min(low, high, key=lambda end: abs(end - wish))
        for rank, (left, right) in boxes.items():
            self.taken.setdefault(rank, []).append((x - left, x + right))
        return x

    def ends(self) -> tuple[float, float]:
        """The leftmost and the rightmost pixel taken."""
        spans = [span for row in self.taken.values() for span in row]
        return min(start for start, _ in spans), max(end for _, end in spans)


def layered(sizes: Mapping[str, tuple[float, float]], edges: Sequence[Edge]) -> Layout:
    """Lay out nodes (name -> pixels left and right of its axis), the first node on top."""
    names = list(sizes)
    back = _back_edges(names, edges)
    rank = _ranks(names, edges, back)
    floor = _Floor()
    x: dict[str, float] = {}
    drawn: dict[int, Route] = {}
    for column, ways in _columns(names, edges, back, rank):
        boxes = {rank[name]: sizes[name] for name in column}
        boxes |= {rank[edges[way].source] + 1: _half(edges[way].label) for way in ways}
        near = [x[edge.source] for edge in edges if edge.target in column and edge.source in x]
        at = floor.place(boxes, _mean(near))
        x |= dict.fromkeys(column, at)
        for way in ways:
            above = rank[edges[way].source] + 1
            drawn[way] = Route(at, range(above, above + 1), above, False)
    rest = [index for index in range(len(edges)) if index not in drawn]
    for index in sorted(rest, key=lambda i: abs(rank[edges[i].target] - rank[edges[i].source])):
        drawn[index] = _beside(edges[index], back[index], rank, x, floor)
    left, right = floor.ends()
    routes = [drawn[index] for index in range(len(edges))]
    return Layout(
        rank,
        {name: place - left for name, place in x.items()},
        tuple(Route(r.x - left, r.ranks, r.label, r.back) for r in routes),
        right - left,
    )


def _back_edges(names: Sequence[str], edges: Sequence[Edge]) -> list[bool]:
    """Say of each edge whether it closes a cycle, walking depth first in the order given."""
    leaving: dict[str, list[int]] = {name: [] for name in names}
    for index, edge in enumerate(edges):
        leaving[edge.source].append(index)
    back = [False] * len(edges)
    done: set[str] = set()
    for root in names:
        path = [] if root in done else [(root, iter(leaving[root]))]
        while path:
            name, rest = path[-1]
            way = next(rest, None)
            if way is None:
                done.add(name)
                path.pop()
                continue
            target = edges[way].target
            if any(target == seen for seen, _ in path):
                back[way] = True
            elif target not in done:
                path.append((target, iter(leaving[target])))
    return back


def _ranks(names: Sequence[str], edges: Sequence[Edge], back: Sequence[bool]) -> dict[str, int]:
    """Rank nodes by the longest path from above; two apart, so that labels lie between."""
    rank = dict.fromkeys(names, 0)
    for _ in names:
        for edge, turned in zip(edges, back, strict=True):
            above, below = (edge.target, edge.source) if turned else (edge.source, edge.target)
            rank[below] = max(rank[below], rank[above] + 2)
    return rank


def _columns(
    names: Sequence[str], edges: Sequence[Edge], back: Sequence[bool], rank: Mapping[str, int]
) -> Iterable[tuple[list[str], list[int]]]:
    """Split the nodes into columns joined by edges to the next rank; yield each with its edges."""
    onward: dict[str, int] = {}
    entered: set[str] = set()
    for index, edge in enumerate(edges):
        near = not back[index] and rank[edge.target] - rank[edge.source] == 2
        if near and edge.source not in onward and edge.target not in entered:
            onward[edge.source] = index
            entered.add(edge.target)
    for name in sorted(names, key=lambda name: rank[name]):
        if name in entered:
            continue
        column: list[str] = [name]
        ways: list[int] = []
        while column[-1] in onward:
            ways.append(onward[column[-1]])
            column.append(edges[ways[-1]].target)
        yield column, ways


def _beside(
    edge: Edge, back: bool, rank: Mapping[str, int], x: Mapping[str, float], floor: _Floor
) -> Route:
    """Place one line beside the columns, leaning left on the way on, right on the way back."""
    upper, lower = sorted((rank[edge.source], rank[edge.target]))
    ranks = range(upper + 1, lower)
    label = ranks[len(ranks) // 2]
    label -= 1 - label % 2
    boxes = dict.fromkeys(ranks, (_PASS, _PASS)) | {label: _half(edge.label)}
    wish = _mean([x[edge.source], x[edge.target]]) + (_LEAN if back else -_LEAN)
    at = floor.place(boxes, wish)
    return Route(at, ranks, label, back)


def _half(width: float) -> tuple[float, float]:
    return width / 2, width / 2


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0

"""Fewest walks through a graph that take every edge: a minimum flow, cut into walks.

A minimum flow with lower bounds (R. Ahuja, T. Magnanti, J. Orlin, Network Flows, 1993, section 6.7)
says how often each edge is taken; an Euler tour of that many copies of the edges is the walks.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence

Edge = tuple[Hashable, Hashable]


def tours(edges: Sequence[Edge], source: Hashable, sink: Hashable) -> list[list[int]]:
    """The fewest walks from source to sink, as indices of edges, that take every edge.

    Every edge must lie on a walk from source to sink. Equal input gives equal walks.
    """
    flow = _minimum_flow(edges, source, sink)
    leaving: dict[Hashable, list[int]] = defaultdict(list)
    for index in reversed(range(len(edges))):
        leaving[edges[index][0]] += [index] * flow[index]
    value = sum(flow[i] for i, edge in enumerate(edges) if edge[1] == sink)
    leaving[sink] += [-1] * value  # back to the source: where the tour is cut
    at, path, tour = source, list[tuple[Hashable, int]](), list[int]()
    while True:  # Hierholzer's algorithm, from the end of the tour to its beginning
        if leaving[at]:
            index = leaving[at].pop()
            path.append((at, index))
            at = source if index < 0 else edges[index][1]
        elif path:
            at, index = path.pop()
            tour.append(index)
        else:
            break
    tour.reverse()
    last = len(tour) - tour[::-1].index(-1)
    walks: list[list[int]] = [[]]
    for index in tour[last:] + tour[:last]:  # round from after a cut to a cut
        if index < 0:
            walks.append([])
        else:
            walks[-1].append(index)
    return walks[:-1]


def _minimum_flow(edges: Sequence[Edge], source: Hashable, sink: Hashable) -> list[int]:
    """How often each edge is taken: a walk for every edge, then as many taken back as can be."""
    flow = [0] * len(edges)
    for index, (start, end) in enumerate(edges):
        if not flow[index]:
            before, after = shortest(edges, source, start), shortest(edges, end, sink)
            for each in (*before, index, *after):
                flow[each] += 1
    # A walk from sink to source in which an edge is given up where it is taken too often.
    both = [*edges, *((end, start) for start, end in edges)]
    count = len(edges)

    def may(index: int) -> bool:
        return index < count or flow[index - count] > 1

    while back := shortest(both, sink, source, may):
        for index in back:
            flow[index % count] += 1 if index < count else -1
    return flow


def shortest(
    edges: Sequence[Edge],
    source: Hashable,
    sink: Hashable,
    may: Callable[[int], bool] = lambda _: True,
) -> list[int]:
    """The shortest walk over edges that may be taken; empty where there is none."""
    leaving: dict[Hashable, list[int]] = defaultdict(list)
    for index, (start, _) in enumerate(edges):
        leaving[start].append(index)
    came: dict[Hashable, int] = {}
    todo, seen = deque([source]), {source}
    while todo:
        at = todo.popleft()
        if at == sink:
            walk = []
            while at != source:
                walk.append(came[at])
                at = edges[came[at]][0]
            return walk[::-1]
        for index in leaving[at]:
            end = edges[index][1]
            if end not in seen and may(index):
                seen.add(end)
                came[end] = index
                todo.append(end)
    return []

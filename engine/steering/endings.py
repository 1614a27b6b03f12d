"""Ways to the end of a trace, in tokens: one that is known, and whether there is a shorter one.

A way is a text; the machine itself has taken it to a legal end. The shortest one is looked for by
A* over configurations, with tokens as arcs and the distances without contracts as lower bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

from statelang.engine.masks.bounds import FAR
from statelang.engine.masks.states import States
from statelang.engine.steering.distance import Distances
from statelang.walking.machine import Configuration
from statelang.walking.places import Thread

Way = tuple[int, ...]

_MAX_KNOWN: Final = 100_000
_TRIES: Final = 256  # steps of the machine in looking for a shorter way
_MAX_TEXTS: Final = 4  # ways kept for one place
_MAX_VAIN: Final = 2
_MAX_REFUSED: Final = 3  # texts for which tools are asked in vain, at one place
_MAX_ALIKE: Final = 3  # tokens tried of those that write another text into one field


class Endings:
    """What one sequence knows of the ways to its end. Not shared: what another sequence has found
    must not decide what is generated here."""

    def __init__(self, states: States, distances: Distances) -> None:
        self.states = states
        self.machine = states.machine
        self.vocabulary = states.vocabulary
        self.distances = distances
        self._ways: dict[object, Way | None] = {}
        self._more: dict[object, int] = {}  # tokens within which there is no way
        self._vain: dict[tuple[Thread, ...], int] = {}  # searches from a place that told nothing
        self._refused: dict[tuple[tuple[Thread, ...], int], int] = {}  # by what tools said
        self._texts: dict[tuple[Thread, ...], list[bytes]] = {}
        self._tokens: dict[bytes, Way] = {}

    # -- a known way

    def bound(self, configuration: Configuration) -> int:
        """Tokens within which the trace can certainly end, stop token included; FAR if none are
        known."""
        way = self.way(configuration)
        return FAR if way is None else len(way) + 1

    def way(self, configuration: Configuration) -> Way | None:
        """Tokens that lead to an end, the stop token left out; None where none are known."""
        key = self.states.key(configuration)
        if key not in self._ways:
            self._keep(key, self._way(configuration))
        return self._ways[key]

    def follow(self, configuration: Configuration) -> Way:
        """A known way, whose rest is known after its first token, so that it can be gone."""
        way = self.way(configuration)
        if way:
            after = self.states.after(configuration, way[0])
            assert after is not None
            key = self.states.key(after)
            known = self._ways.get(key)
            if known is None or len(known) >= len(way):
                self._keep(key, way[1:])
        return way or ()

    def _keep(self, key: object, way: Way | None) -> None:
        _bounded(self._ways)
        self._ways[key] = way

    def _way(self, configuration: Configuration) -> Way | None:
        text = self._known(configuration)
        if text is not None:
            return self._shortest(text)
        step = self.states.finish(configuration)
        after = self.machine.advance(configuration, step) if step else None
        if step and after is not None:
            rest = self._known(after) or self._found(after)
            if rest is not None:
                return self._shortest(step) + self._shortest(rest)
        text = self._found(configuration)
        return None if text is None else self._shortest(text)

    def _known(self, configuration: Configuration) -> bytes | None:
        """A way that was found from the same place and leads to the end from here as well."""
        texts = self._texts.get(_control(configuration), [])
        for index, text in enumerate(texts):
            after = self.machine.advance(configuration, text)
            if after is not None and self.machine.ends(after) is not None:
                texts.insert(0, texts.pop(index))
                return text
        return None

    def _found(self, configuration: Configuration) -> bytes | None:
        text = self.states.search.complete(configuration)
        if text is not None:
            _bounded(self._texts)
            texts = self._texts.setdefault(_control(configuration), [])
            texts.insert(0, text)
            del texts[_MAX_TEXTS:]
        return text

    def _shortest(self, text: bytes) -> Way:
        found = self._tokens.get(text)
        if found is None:
            _bounded(self._tokens)
            found = self._tokens[text] = self.vocabulary.shortest(text)
        return found

    # -- the shortest way

    def nearest(self, configuration: Configuration) -> int:
        """A number of tokens, stop token included, without which the trace cannot end."""
        return self.distances.least(_control(configuration))

    def fits(self, configuration: Configuration, left: int) -> bool:
        """Whether a way to the end within `left` tokens, stop token included, is known. Where what
        the tools said of a few texts has not fitted, they are asked of no more at that place."""
        if self.nearest(configuration) > left:
            return False
        place, key = (_control(configuration), left), self.states.key(configuration)
        if key not in self._ways and self._refused.get(place, 0) >= _MAX_REFUSED:
            return False
        before = self.machine.asked(configuration)
        if self.bound(configuration) <= left or self.least(configuration, left) <= left:
            return True
        if self.machine.asked(configuration) > before:
            _bounded(self._refused)
            self._refused[place] = self._refused.get(place, 0) + 1
        return False

    def least(self, configuration: Configuration, most: int, tries: int = _TRIES) -> int:
        """The least number of tokens to the end, stop token included, where that is at most `most`;
        FAR where it is more, or where `tries` steps of the machine do not tell."""
        key, place = self.states.key(configuration), _control(configuration)
        if self._more.get(key, 0) >= most or self._vain.get(place, 0) > _MAX_VAIN:
            return FAR
        if self.distances.is_deep(place) or self.nearest(configuration) > most:
            return FAR
        way, tries = self._search(configuration, most, tries)
        if way is None:
            _bounded(self._more)
            self._more[key] = most
            _bounded(self._vain)
            self._vain[place] = self._vain.get(place, 0) + (tries < 0)
            return FAR
        self._keep(key, way)
        return len(way) + 1

    def _search(self, start: Configuration, most: int, tries: int) -> tuple[Way | None, int]:
        """A* with the lower bounds, of equal ones the nearest to the end first; and the steps that
        were left, less than none where they did not tell."""
        # Tools are not run on what is only tried.
        start = self.machine.remembering(start)
        order = count()
        heap: list[tuple[int, int, int, Way, Configuration]]
        heap = [(self.nearest(start), 0, next(order), (), start)]
        best: dict[object, int] = {self.states.key(start): 0}
        while heap:
            bound, _, _, way, configuration = heappop(heap)
            if tries < 0:
                break
            if self.machine.ends(configuration) is not None:
                return way, tries
            taken = len(way) + 1
            for token, after in self._after(configuration, most - taken):
                tries -= 1
                bound = taken + self.nearest(after)
                if bound <= most:
                    key = self.states.key(after)
                    if best.get(key, FAR) > taken and self._more.get(key, 0) < most - taken:
                        best[key] = taken
                        heappush(heap, (bound, -taken, next(order), (*way, token), after))
        if tries >= 0:
            _bounded(self._more)
            for key, taken in best.items():
                self._more[key] = max(self._more.get(key, 0), most - taken)
        return None, tries

    def _after(
        self, configuration: Configuration, most: int
    ) -> Iterator[tuple[int, Configuration]]:
        """The configurations one token further from where the end may be `most` tokens away; some
        for those that differ in a field alone."""
        state, _ = self.states.state(configuration)
        for ids, after in self.states.alive(configuration, state.table):
            yield int(ids[0]), after
        alone = not self.states.is_read(configuration)
        for ids, control in self.states.tables.groups(state.table):
            if self.distances.least(control) > most:
                continue
            for token in ids[: 1 if alone else _MAX_ALIKE].tolist():
                following = self.states.after(configuration, token)
                if following is not None:
                    yield token, following


def _control(configuration: Configuration) -> tuple[Thread, ...]:
    return tuple(thread for thread, _ in configuration.alive)


def _bounded(known: dict[Any, Any]) -> None:
    """Keep what strangers' traces fill from filling the memory."""
    if len(known) > _MAX_KNOWN:
        known.clear()

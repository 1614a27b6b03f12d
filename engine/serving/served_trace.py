"""A trace that is checked while it comes in, and the places from which it can be gone on with."""

from __future__ import annotations

from attrs import define, field, frozen

from statelang.engine.verdicts.first_error import legal
from statelang.walking.machine import Configuration, Machine
from statelang.walking.search import Node, Search

_SHOWN = 60  # characters of what was refused


@frozen
class Place:
    """Between two texts: bytes and pieces up to there, and the configuration."""

    bytes: int
    pieces: int
    configuration: Configuration


@define
class ServedTrace:
    """What has been written so far, all of it legal.

    Args:
        search: Over the machine of the space.
        start: The configuration before the first byte.
        tries: How often a step may be begun.
    """

    search: Search
    start: Configuration
    tries: int
    again: int = 0  # places gone on from after something wrong
    is_done: bool = False
    ending: str = ""  # what was written here, past what the model wrote
    stuck: str | None = None
    here: Place = field(init=False)  # where the answer under way began
    _machine: Machine = field(init=False)
    _between: Place = field(init=False)  # the last place between two texts
    _step: Place = field(init=False)  # the last place between two steps
    _places: list[Place] = field(init=False)  # all between two texts, from the start on
    _tried: int = 0
    _at: Configuration = field(init=False)
    _data: bytearray = field(factory=bytearray)
    _pieces: int = 0
    _wrong: str | None = None

    def __attrs_post_init__(self) -> None:
        self._machine = self.search.machine
        self._at = self.start
        self.here = self._between = self._step = Place(0, 0, self.start)
        self._places = [self._between]

    @property
    def text(self) -> str:
        """All that is written."""
        return self._data.decode(errors="ignore")

    @property
    def kept(self) -> int:
        """Pieces in the text."""
        return self._pieces

    @property
    def gained(self) -> bool:
        """Whether there is a later place to go on from than where the answer began."""
        return self._between.bytes > self.here.bytes

    def read(self, text: str) -> bool:
        """Take a piece; False where it is not legal, and what comes behind it is of no use."""
        data = text.encode(errors="replace")
        self._pieces += bool(data)
        for index in range(len(data)):
            after = self._machine.advance(self._at, data[index : index + 1])
            if after is None:
                self._wrong = text
                return False
            self._at = after
            self._data.append(data[index])
            if all(thread.left is None for thread, _ in after.alive):
                self._stand(Place(len(self._data), self._pieces, after))
        self.is_done = self._is_over()
        return True

    def end(self) -> None:
        """The model ends the trace here."""
        self.is_done = self._machine.ends(self._at) is not None
        if not self.is_done:
            self._wrong = "the end"

    def end_within(self, most: int) -> None:
        """End the trace, the tokens having run out: as it is, where it may end there; else by a
        legal ending, written from the last place from which it fits into `most` tokens. How the
        server cuts it into tokens is not known, so each of its bytes counts as one."""
        if self._machine.ends(self._at) is not None:
            self.is_done = True
            return
        needed, index = 0, len(self._places) - 1
        while index >= 0:
            place = self._places[index]
            ending = self.search.complete(place.configuration)
            if ending is None:  # far back, since such a search takes long
                index = (index + 1) // 2 - 1
                continue
            needed = place.pieces + len(ending)
            if needed <= most:
                del self._data[place.bytes :]
                self._data += ending
                self._pieces, self.ending, self.is_done = place.pieces, ending.decode(), True
                return
            index -= 1
        advice = f"give `max_tokens` {needed} or more" if needed else "no way to its end is known"
        self.stuck = f"{self._pieces} tokens were written and the trace has not ended; {advice}"

    def _stand(self, place: Place) -> None:
        self._between = place
        self._places.append(place)
        if any(self.search.stepped(Node(t, e, b"")) for t, e in place.configuration.alive):
            self._step, self._tried = place, 0

    def _is_over(self) -> bool:
        """Whether the trace is complete and nothing may follow."""
        if any(thread.left is not None for thread, _ in self._at.alive):
            return False
        exits = [e for thread, _ in self._at.alive for e in self._machine.exits(thread)]
        return all(e.read is None for e in exits) and self._machine.ends(self._at) is not None

    def turn_back(self) -> None:
        """Stand where the trace is to be gone on with: at the last place between two texts if that
        is new and leads on, else where the step began. Past the last try it is `stuck`."""
        if self.is_done:
            return
        place = self._between
        if self._wrong is not None:
            self.again += 1
            if not self.gained or not self.search.step(place.configuration):
                place = self._step
                self._tried += 1
        if self._tried == self.tries:
            self.stuck = self._says()
        del self._data[place.bytes :]
        while self._places[-1].bytes > place.bytes:
            self._places.pop()
        self._at, self._pieces, self._wrong = place.configuration, place.pieces, None
        self.here = self._between = place

    def _says(self) -> str:
        trail = self._step.configuration.alive[0][1].trail
        number = trail.number + 1 if trail else 1
        expected = " or ".join(legal(self._machine, self._step.configuration))
        written = self._data[self._step.bytes :].decode(errors="ignore") + (self._wrong or "")
        return (
            f"step {number} was begun {self.tries} times and never written legally; legal there: "
            f"{expected}; the last try ended with `{written[-_SHOWN:]}`"
        )

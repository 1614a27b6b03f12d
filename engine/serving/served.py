"""Traces from a model behind a server: the grammar goes with the request, the contracts are checked
here, and what is wrong is sampled again from the last place that is right.

A server's own mask cannot know the contracts. So the answer is read as it streams, byte by byte,
through the machine; at the first byte that no legal trace has, it is cut off, and the server is
asked to go on from the last place between two texts, under a grammar that holds what the
contracts leave open there (`statelang.exports.continuation`). Where that leads nowhere the step is
begun again, a stated number of times. Where the tokens run out a legal ending is written here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Final, Literal

import httpx2
from attrs import frozen

from statelang.engine.asking import prompt
from statelang.engine.serving.served_trace import ServedTrace
from statelang.engine.serving.server import BrokenOff, Piece, Server, pieces
from statelang.engine.verdicts.verdict import Verdict, validate
from statelang.exports.continuation import continuation
from statelang.space import StateSpace
from statelang.tools import Function
from statelang.walking.machine import Machine
from statelang.walking.search import Search

TRIES: Final = 6
_MOST_BREAKS: Final = 4  # answers broken off, one directly after the other, with no word of use


@frozen
class Served:
    """One trace from a server.

    `tokens` are all that the server wrote, `kept` those that are in the text; `requests` counts
    what was asked of it, `again` how often something wrong was sampled once more. `ending` is the
    end of the text where the tokens ran out: no model wrote it. `stuck` says why the trace could
    not be ended, and is None where it was.
    """

    problem: Mapping[str, Any]
    text: str
    verdict: Verdict
    tokens: int
    kept: int
    requests: int
    again: int
    ending: str = ""
    stuck: str | None = None

    @property
    def finish_reason(self) -> Literal["stop", "budget", "stuck"]:
        """ "stop" where the model ended the trace, "budget" where it was ended here."""
        if self.stuck is not None:
            return "stuck"
        return "budget" if self.ending else "stop"


def generate_served(
    space: StateSpace,
    server: Server,
    problems: Sequence[Mapping[str, Any]],
    *,
    max_tokens: int = 400,
    temperature: float = 1.0,
    seed: int = 0,
    parallel: int = 8,
    tries: int = TRIES,
    first: int = 0,
    tools: Mapping[str, Function] | None = None,
) -> Iterator[Served]:
    """One trace for each problem, in order, judged.

    Args:
        space: The state space.
        server: Where the model is.
        problems: Each with a `question`, the space's inputs, and perhaps the gold `answer`, which
            is used for the verdict alone.
        max_tokens: Tokens that a trace may take; those that were thrown away do not count. Where
            they run out, the trace goes back to the last place from which it can be ended within
            them, and a legal ending is written there, each byte of it counted as a token.
        temperature: 0 takes the likeliest token.
        seed: Goes to the server; whether it makes the sampling repeatable is the server's affair.
        parallel: Traces under way at once.
        tries: How often a step may be begun.
        first: The number of the first problem, where a run goes on that was broken off.
        tools: The functions that `writes` clauses name: what they give is all that may be written.

    Raises:
        StatelangError: an input is missing, or the server cannot be used; the message says why.
    """
    with server.client() as client, ThreadPoolExecutor(parallel) as pool:
        serve = _Serving(space, server, client, max_tokens, temperature, tries, tools)
        waiting = [
            pool.submit(serve, problem, seed + 104729 * number)
            for number, problem in enumerate(problems, first)
        ]
        try:
            for future in waiting:
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@frozen
class _Serving:
    """What all traces of one call share."""

    space: StateSpace
    server: Server
    client: httpx2.Client
    max_tokens: int
    temperature: float
    tries: int
    tools: Mapping[str, Function] | None

    def __call__(self, problem: Mapping[str, Any], seed: int) -> Served:
        """One trace."""
        # A machine of its own: what machines and searches remember is not made for many threads.
        search = Search(Machine(self.space))
        trace = ServedTrace(search, search.machine.start(problem, self.tools), self.tries)
        asked = prompt(self.space, problem)
        tokens = requests = breaks = 0
        while not trace.is_done and trace.stuck is None:
            grammar = continuation(search, trace.here.configuration)
            if grammar is None:
                trace.stuck = "nothing may follow: the space locks, run `statelang check` on it"
                break
            left = self.max_tokens - trace.kept
            body = self.server.body(
                asked + trace.text, grammar, left, self.temperature, seed + requests
            )
            requests += 1
            try:
                with closing(pieces(self.client, self.server, body)) as answer:
                    for piece in answer:
                        tokens += bool(piece.text)
                        if not _take(trace, piece, self.max_tokens):
                            break
            except BrokenOff as broken:
                breaks = 0 if trace.gained else breaks + 1
                if breaks == _MOST_BREAKS:
                    trace.stuck = f"the server broke off {breaks} times in a row: {broken}"
            if trace.stuck is None:
                trace.turn_back()
        verdict = validate(self.space, trace.text, problem, self.tools)
        counts = tokens, trace.kept, requests, trace.again
        return Served(problem, trace.text, verdict, *counts, trace.ending, trace.stuck)


def _take(trace: ServedTrace, piece: Piece, max_tokens: int) -> bool:
    """Whether the answer is to be read on."""
    if piece.text and not trace.read(piece.text):
        return False
    if trace.is_done:
        return False
    if piece.finish == "length" or trace.kept >= max_tokens:
        trace.end_within(max_tokens)
    elif piece.finish:
        trace.end()
    return piece.finish is None and trace.stuck is None and not trace.is_done

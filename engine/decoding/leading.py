"""A budget that is asked now and then, instead of for every token.

While much of it is left a trace runs ahead on the plain masks. Now and then a way to the end is
looked for from where it stands; where none fits, the trace goes back to where one did, and from
there every token is asked for, drawn with the same random numbers.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

from attrs import frozen

from statelang.engine.decoding.judging import Judge
from statelang.engine.steering.matcher import Matcher

_PART: Final = 4  # of the tokens to spare, one in so many is written before the budget is asked
_LEAST: Final = 4


@frozen(eq=False)
class Lead:
    """Where a way to the end was last known to fit, and how far a trace may run ahead of it.

    `matcher` stands there, under the budget; `until` counts the tokens of the trace.
    """

    matcher: Matcher
    judge: Judge | None
    drawn: tuple[Any, ...]  # the state of the random numbers
    until: int

    @classmethod
    def of(cls, matcher: Matcher, judge: Judge | None, chance: Random) -> Lead | None:
        """The lead that a trace has; None where little of the budget is left."""
        ahead = matcher.spare // _PART
        if ahead < _LEAST:
            return None
        return cls(matcher, judge, chance.getstate(), matcher.length + ahead)

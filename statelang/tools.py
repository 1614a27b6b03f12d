"""The environment of a trace: functions of the caller's that write the fields of `writes` clauses.

A grammar file names a function; what it does is the caller's. Nothing here runs code of a grammar
file or of a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from attrs import frozen

from statelang.clauses.values import Undefined, Value
from statelang.diagnostics import StatelangError

Function = Callable[..., str]

_MAX_KEPT: Final = 10_000


class Environment:
    """Calls functions by name and keeps what they said: one call for one set of arguments.

    Within one trace a function is taken to be deterministic: `validate` runs it again.
    """

    def __init__(self, space: str, names: tuple[str, ...], functions: Mapping[str, Function]):
        self.space = space
        self.functions = {}
        self.asked = 0  # calls so far
        self._said: dict[tuple[str, tuple[Value, ...]], str] = {}
        for name in names:
            if name not in functions:
                known = ", ".join(f"`{each}`" for each in functions) or "none"
                raise StatelangError(
                    f"the space `{space}` writes fields with the function `{name}`, which is not "
                    f"among the tools that were given ({known}); pass tools={{{name!r}: ...}}"
                )
            self.functions[name] = functions[name]
        self.remembered = Remembered(self._said)

    def __call__(self, name: str, *arguments: Value) -> str:
        """What the function writes: an error that it raises, as a text that begins with `error:`.

        Raises StatelangError where it gives no text, or raises one: it cannot be used at all.
        """
        key = name, arguments
        said = self._said.get(key)
        if said is None:
            self.asked += 1
            said = _said(self.functions[name], arguments)
            if not isinstance(said, str):
                raise StatelangError(
                    f"the function `{name}` gave {type(said).__name__}, not a text, to the space "
                    f"`{self.space}`; let it return what is to stand in the trace"
                )
            if len(self._said) >= _MAX_KEPT:
                self._said.clear()
            self._said[key] = said
        return said


@frozen(eq=False)
class Remembered:
    """What an environment has said so far. What it was not asked is undefined, so a search that
    sees no more than this runs no function on texts that it only tries."""

    _said: Mapping[tuple[str, tuple[Value, ...]], str]

    def __call__(self, name: str, *arguments: Value) -> str:
        """What the function wrote. Raises Undefined where it was not asked."""
        said = self._said.get((name, arguments))
        if said is None:
            raise Undefined(f"`{name}` was not asked")
        return said


def _said(function: Function, arguments: tuple[Value, ...]) -> str:
    try:
        return function(*arguments)
    except StatelangError:
        raise
    except Exception as error:
        return f"error: {type(error).__name__}: {error}".rstrip(": ")

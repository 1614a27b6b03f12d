"""The inputs of a problem, read as values of the contract language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import isfinite
from typing import Any

from statelang.clauses.values import Type, Value, read_number, simplest
from statelang.diagnostics import StatelangError


def read_input(space: str, name: str, type: Type, problem: Mapping[str, Any]) -> Value:
    """The value of an input, as the contract language has it. Raises StatelangError."""
    if name not in problem:
        raise StatelangError(
            f"the problem has no `{name}`, an input of type `{type}` that the space `{space}` "
            f"declares; add the key `{name}` to the problem"
        )
    try:
        return _converted(problem[name], type)
    except (TypeError, ValueError, AttributeError, Exception) as error:
        raise StatelangError(
            f"the input `{name}` of the space `{space}` is no `{type}`: {error}; "
            f"correct it in the problem"
        ) from None


def _converted(value: Any, type: Type) -> Value:
    if type.name == "text":
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is not a text")
        value.encode()  # a lone surrogate, which JSON may hold, is in no trace
        return value
    if type.name == "truth":
        if not isinstance(value, bool):
            raise TypeError(f"{value!r} is neither true nor false")
        return value
    if type.name == "number":
        if isinstance(value, str):
            return read_number(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"{value!r} is not a number")
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"{value} is not a finite number")
        return simplest(Fraction(str(value)))
    if type.name == "map":
        key, item = type.arguments
        if not isinstance(value, Mapping):
            raise TypeError(f"{value!r} is not an object")
        return {_converted(k, key): _converted(v, item) for k, v in value.items()}
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"{value!r} is not a list")
    items = tuple(_converted(item, type.arguments[0]) for item in value)
    return frozenset(items) if type.name == "set" else items

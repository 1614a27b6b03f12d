"""What a model is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statelang.space import StateSpace
from statelang.teaching.instructions import question


def prompt(space: StateSpace, problem: Mapping[str, Any]) -> str:
    """The problem's own `prompt`, or its question and visible inputs."""
    found = question(space, problem)
    return found if isinstance(problem.get("prompt"), str) else f"{found}\n"

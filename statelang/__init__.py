"""Reasoning methods as grammar files: states, actions, contracts.

The verbs beyond reading and checking are loaded when they are first used.
"""

from __future__ import annotations

from typing import Any, Final

from statelang.diagnostics import Diagnostic, GrammarError, Severity, StatelangError
from statelang.loader import check, load, loads, shipped
from statelang.space import Action, State, StateSpace, Terminal, Transition

_LAZY: Final[dict[str, str]] = {
    "Example": "statelang.teaching.worked",
    "Export": "statelang.exports",
    "coverage": "statelang.traces.visits",
    "migrate": "statelang.traces.renaming",
    "diff": "statelang.comparing.difference",
    "export": "statelang.exports",
    "prompt": "statelang.teaching.instructions",
    "fmt": "statelang.language.formatting",
    "infer": "statelang.inferring.inference",
    "new": "statelang.starter",
    "paths": "statelang.traces.covering",
}

__all__ = [
    "Action",
    "Diagnostic",
    "Example",
    "Export",
    "GrammarError",
    "Severity",
    "State",
    "StateSpace",
    "StatelangError",
    "Terminal",
    "Transition",
    "check",
    "coverage",
    "diff",
    "export",
    "fmt",
    "infer",
    "load",
    "loads",
    "migrate",
    "new",
    "paths",
    "prompt",
    "shipped",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module `statelang` has no attribute `{name}`")

"""Reasoning methods as grammar files: states, actions, contracts."""

from statelang.diagnostics import Diagnostic, GrammarError, Severity, StatelangError
from statelang.loader import check, load, loads, shipped
from statelang.space import Action, State, StateSpace, Terminal, Transition

__all__ = [
    "Action",
    "Diagnostic",
    "GrammarError",
    "Severity",
    "State",
    "StateSpace",
    "StatelangError",
    "Terminal",
    "Transition",
    "check",
    "load",
    "loads",
    "shipped",
]

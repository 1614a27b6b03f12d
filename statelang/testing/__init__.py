"""Property tests over a state space: Hypothesis strategies that are legal by construction.

`traces` draws complete traces, `prefixes` their beginnings, `mutants` near misses with the rule
that each breaks, `problems` values for the inputs, and `state_machine` makes a stateful test.
Needs the extra `testing` (Hypothesis).
"""

from statelang.testing.mutants import Mutant, mutants
from statelang.testing.stateful import TraceMachine, state_machine
from statelang.testing.strategies import prefixes, problems, traces

__all__ = [
    "Mutant",
    "TraceMachine",
    "mutants",
    "prefixes",
    "problems",
    "state_machine",
    "traces",
]

"""The machines of a space."""

from __future__ import annotations

import statelang
from statelang.space import Transition
from statelang.submachines import called, label, shown, submachines
from tests.strategies import own_space


def test_a_called_machine_is_one_of_its_own() -> None:
    """The machine of the trace comes first; a call joins no states."""
    trace, greetings = submachines(own_space("calls"))

    assert (("start",), ("start", "_body"), "") == (trace.entries, trace.states, trace.title)
    assert (("_greetings",), ("_greetings", "_more")) == (greetings.entries, greetings.states)
    assert "greetings()" == greetings.title
    assert [("_greetings", "_more"), ("_more", "_more")] == [
        (step.source, step.target) for step in greetings.transitions
    ]


def test_machines_that_share_states_are_one() -> None:
    """Two entries that lead to one state are drawn together; what nothing enters stands alone."""
    space = statelang.loads(
        "start : _a _c\n_a : x _z\n_b : y _z\n_c : _b _d\n_d : x\n_z : y\n_lost : x\n"
        'x : "x"\ny : "y"\n'
    )
    assert [(("start",), 3), (("_a", "_b"), 3), ((), 1)] == [
        (machine.entries, len(machine.states)) for machine in submachines(space)
    ]
    assert "a(), b()" == submachines(space)[1].title


def test_every_state_and_transition_is_in_one_machine() -> None:
    """Nothing is lost and nothing comes twice."""
    for name in statelang.shipped():
        space = statelang.load(name)
        machines = submachines(space)
        assert sorted(s.name for s in space.states) == sorted(n for m in machines for n in m.states)
        assert sorted(map(repr, space.transitions)) == sorted(
            repr(step) for machine in machines for step in machine.transitions
        )


def test_labels() -> None:
    """An action with what gates it; a call by the name of the machine."""
    assert "go" == label(Transition("start", "go", None))
    assert "go [n < 3]" == label(Transition("start", "go", None, gates=("requires n < 3",)))
    assert "sub() [n < 3 and m]" == label(
        Transition("start", None, "_b", "_sub", ("requires n < 3", "requires m"))
    )
    assert ("open", "open()", "start") == (shown("_open"), called("_open"), shown("start"))

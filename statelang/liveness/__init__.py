"""Whether a trace can always be ended: proved from the contracts, or refuted by a stuck trace.

`proof` walks the program with registers known roughly (sizes, truths, small numbers) and asks for
an exit that no contract can close. Where it finds none, `stuck` walks the machine itself.
"""

from statelang.liveness.verdict import Liveness, liveness

__all__ = ["Liveness", "liveness"]

"""How many inputs Hypothesis draws: few in `make test`, many in `make soak`; and what was counted."""

import os
import sys
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

# Models of a test are tiny: several threads only wait for each other, on a busy machine for long.
# Set before torch is imported, and for the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Time limits on single inputs measure the machine's load, not the code. `make test` draws the same
# inputs each time, so that it says something of a change; `make soak` draws others.
settings.register_profile(
    "test", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "soak", settings.get_profile("test"), derandomize=False, max_examples=2000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))

_COUNTS: Counter[str] = Counter()


@pytest.fixture
def record_count() -> Callable[[str, int], None]:
    """Adds to what the summary at the end of the run says was tried."""

    def record(what: str, count: int) -> None:
        _COUNTS[what] += count

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the totals of `record_count`."""
    if _COUNTS:
        terminalreporter.section("counts")
        for what, count in sorted(_COUNTS.items()):
            terminalreporter.write_line(f"{count:>12,}  {what}")


def pytest_unconfigure() -> None:
    """Close what the module of llama.cpp opens when it is imported, and leaves open."""
    library = sys.modules.get("llama_cpp._utils")
    if library is not None:
        library.outnull_file.close()
        library.errnull_file.close()

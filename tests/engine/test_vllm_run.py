"""Where vLLM is installed it runs our processors itself; else this is skipped."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

import statelang
from statelang.engine import validate
from tests.engine.vllm_parts import PICK


@pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed")
@pytest.mark.parametrize("runner", ["V1", "V2"])
def test_vllm_writes_legal_traces(runner: str) -> None:
    """Whole and within their budgets, beside requests of others; a malformed one is refused."""
    command = [sys.executable, "-m", "tests.engine.vllm_run", runner]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4_000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["runner"] == runner
    assert "there is no space `nothing`" in found["refused"]
    for answer in found["answers"]:
        space, problem, most = answer["asked"]
        assert 0 < len(answer["ids"]) <= most
        if space is None:
            continue
        read = statelang.loads(PICK, "pick") if space == PICK else statelang.load(space)
        given = json.loads(problem) if isinstance(problem, str) else problem
        assert validate(read, answer["text"], given).contracts is True, answer

"""The 40 problems in GSM8K's annotated form that belong to this project, and their solutions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from statelang.training.gsm8k import Solution, read

HERE = Path(__file__).parent
PLAIN = HERE / "gsm8k_plain.jsonl"
SOCRATIC = HERE / "gsm8k_socratic.jsonl"


def sources() -> list[dict[str, Any]]:
    """The problems as they stand in the files, plain before socratic."""
    return [
        json.loads(line)
        for file in (PLAIN, SOCRATIC)
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


def solution(answer: str, question: str = "How many are there?") -> Solution:
    """The solution of a problem that can be read."""
    found = read({"question": question, "answer": answer})
    assert isinstance(found, Solution), found
    return found


def solutions() -> list[Solution]:
    """All 40 problems taken apart."""
    return [solution(source["answer"], source["question"]) for source in sources()]

"""The machine at work: verdicts, masks, constrained generation.

`validate` needs nothing but the language; the names that need a tensor library are loaded when
they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statelang.course import Step
from statelang.engine.first_error import TraceError
from statelang.engine.verdict import Validator, Verdict, validate

if TYPE_CHECKING:
    from statelang.engine.compiled import load_cached
    from statelang.engine.conditional import Conditional, sample_conditional
    from statelang.engine.conditional_score import score
    from statelang.engine.doctor.diagnosis import Diagnosis, diagnose
    from statelang.engine.explanation import Explanation, explain, fitness
    from statelang.engine.generation import Generation, generate
    from statelang.engine.matcher import Matcher
    from statelang.engine.processor import constrain
    from statelang.engine.served import Served, generate_served
    from statelang.engine.server import Server
    from statelang.engine.vocabulary import Vocabulary

_LAZY = {
    "Conditional": "statelang.engine.conditional",
    "Diagnosis": "statelang.engine.doctor.diagnosis",
    "Explanation": "statelang.engine.explanation",
    "Generation": "statelang.engine.generation",
    "Matcher": "statelang.engine.matcher",
    "Served": "statelang.engine.served",
    "Server": "statelang.engine.server",
    "Vocabulary": "statelang.engine.vocabulary",
    "constrain": "statelang.engine.processor",
    "diagnose": "statelang.engine.doctor.diagnosis",
    "explain": "statelang.engine.explanation",
    "fitness": "statelang.engine.explanation",
    "generate": "statelang.engine.generation",
    "generate_served": "statelang.engine.served",
    "load_cached": "statelang.engine.compiled",
    "sample_conditional": "statelang.engine.conditional",
    "score": "statelang.engine.conditional_score",
}

__all__ = [
    "Conditional",
    "Diagnosis",
    "Explanation",
    "Generation",
    "Matcher",
    "Served",
    "Server",
    "Step",
    "TraceError",
    "Validator",
    "Verdict",
    "Vocabulary",
    "constrain",
    "diagnose",
    "explain",
    "fitness",
    "generate",
    "generate_served",
    "load_cached",
    "sample_conditional",
    "score",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        try:
            return getattr(import_module(_LAZY[name]), name)
        except ModuleNotFoundError as error:
            extra = "server" if error.name == "httpx2" else "engine"
            raise ImportError(
                f"`statelang.engine.{name}` needs `{error.name}`, which is not installed; "
                f'install it with: pip install "statelang[{extra}]"'
            ) from error
    raise AttributeError(f"module `statelang.engine` has no name `{name}`")

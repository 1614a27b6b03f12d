"""The machine at work: verdicts, masks, constrained generation.

`validate` needs nothing but the language; the names that need a tensor library are loaded when
they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statelang.engine.verdicts.first_error import TraceError
from statelang.engine.verdicts.verdict import Validator, Verdict, validate
from statelang.walking.course import Step

if TYPE_CHECKING:
    from statelang.engine.compiled import load_cached
    from statelang.engine.conditional.sampler import Conditional, sample_conditional
    from statelang.engine.conditional.scoring import score
    from statelang.engine.decoding.generation import Generation, generate
    from statelang.engine.doctor.diagnosis import Diagnosis, diagnose
    from statelang.engine.processors.processor import constrain
    from statelang.engine.serving.served import Served, generate_served
    from statelang.engine.serving.server import Server
    from statelang.engine.steering.matcher import Matcher
    from statelang.engine.verdicts.explanation import Explanation, explain, fitness
    from statelang.engine.vocabularies.vocabulary import Vocabulary

_LAZY = {
    "Conditional": "statelang.engine.conditional.sampler",
    "Diagnosis": "statelang.engine.doctor.diagnosis",
    "Explanation": "statelang.engine.verdicts.explanation",
    "Generation": "statelang.engine.decoding.generation",
    "Matcher": "statelang.engine.steering.matcher",
    "Served": "statelang.engine.serving.served",
    "Server": "statelang.engine.serving.server",
    "Vocabulary": "statelang.engine.vocabularies.vocabulary",
    "constrain": "statelang.engine.processors.processor",
    "diagnose": "statelang.engine.doctor.diagnosis",
    "explain": "statelang.engine.verdicts.explanation",
    "fitness": "statelang.engine.verdicts.explanation",
    "generate": "statelang.engine.decoding.generation",
    "generate_served": "statelang.engine.serving.served",
    "load_cached": "statelang.engine.compiled",
    "sample_conditional": "statelang.engine.conditional.sampler",
    "score": "statelang.engine.conditional.scoring",
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

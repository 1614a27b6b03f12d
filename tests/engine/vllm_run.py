"""vLLM itself with one of our processors: its scheduler, its model runner, its sampler.

`python -m tests.engine.vllm_run V1` (or V2) prints what came of some requests as JSON. The model
guesses a token from the one before it, so that neither a GPU nor a cache is needed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

PROCESSORS: Final = {
    "V1": "statelang.engine.processors.vllm:StateSpaceLogitsProcessor",
    "V2": "statelang.engine.processors.vllm_v2:StateSpaceLogitsProcessor",
}
SETTINGS: Final = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "HF_HUB_OFFLINE": "1",
}
# Where there is no GPU: Triton's kernels, which V2 is made of, run in its interpreter.
WITHOUT_GPU: Final = {
    "VLLM_TARGET_DEVICE": "cpu",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "TRITON_INTERPRET": "1",
}


def _complete_operators() -> None:
    """What vLLM's wheel for CUDA lacks of that for CPUs, of which this run needs three."""
    import torch

    lacking: Any = torch.library.Library("_C", "FRAGMENT")  # type: ignore[no-untyped-call]

    def gumbel(logits: Any, seeds: Any) -> Any:
        drawn = []
        for row, seed in zip(logits, seeds.tolist(), strict=True):
            uniform = torch.rand(row.shape, generator=torch.Generator().manual_seed(seed))
            drawn.append((row - torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))).argmax())
        return torch.stack(drawn)

    missing = {
        "init_cpu_memory_env(int[] nodes) -> ()": lambda nodes: None,
        "greedy_argmax(Tensor logits) -> Tensor": lambda logits: logits.argmax(dim=-1),
        "fused_gumbel_argmax(Tensor logits, Tensor seeds) -> Tensor": gumbel,
    }
    for schema, function in missing.items():
        name = schema.partition("(")[0]
        if not hasattr(torch.ops._C, name):
            lacking.define(schema)
            lacking.impl(name, function, "CompositeExplicitAutograd")
    globals()["_lacking"] = lacking  # an operator lives as long as its library


def _save(folder: Path) -> None:
    from statelang.training.model import tiny_llama
    from statelang.training.problems import problems
    from statelang.training.tokenizer import train_tokenizer
    from tests.engine.vllm_parts import FORMAL

    tokenizer = train_tokenizer([p["question"] for p in problems(50, 1)], FORMAL.literals)
    tiny_llama(tokenizer, seed=0, hidden=16, layers=1, heads=2).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"architectures": ["Bigram"]}))


def run(runner: str, folder: Path) -> dict[str, Any]:
    """More requests than there are rows, of every kind, and one that is to be refused."""
    from vllm import LLM, ModelRegistry, SamplingParams

    from tests.engine.vllm_parts import KINDS

    if os.environ.get("VLLM_TARGET_DEVICE") == "cpu":
        _complete_operators()
    ModelRegistry.register_model("Bigram", "tests.engine.vllm_bigram:Bigram")
    _save(folder)
    llm = LLM(
        str(folder),
        logits_processors=[PROCESSORS[runner]],
        enforce_eager=True,
        dtype="float32",
        max_model_len=200,
        max_num_seqs=3,
    )
    asked = [(space, problem, most) for space, problem, most in KINDS for _ in range(2)]
    params = []
    for number, (space, problem, most) in enumerate(asked):
        extra = {} if space is None else {"statelang": space}
        if problem is not None:
            extra["statelang_problem"] = problem
        greedy = 0.0 if number % 4 == 0 else 1.0
        params.append(SamplingParams(max_tokens=most, temperature=greedy, extra_args=extra))
    answers = llm.generate(["Tom has 5 pens.\n"] * len(params), params, use_tqdm=False)
    refused = ""
    try:
        llm.generate("?", SamplingParams(extra_args={"statelang": "nothing"}), use_tqdm=False)
    except Exception as error:  # a ValueError, since 0.33 one of vLLM's own
        refused = str(error)
    config = llm.llm_engine.vllm_config
    return {
        "runner": "V2" if config.use_v2_model_runner else "V1",
        "refused": refused,
        "answers": [
            {"asked": one, "ids": list(answer.outputs[0].token_ids), "text": answer.outputs[0].text}
            for one, answer in zip(asked, answers, strict=True)
        ],
    }


if __name__ == "__main__":
    import torch

    named = sys.argv[1]
    os.environ.update(SETTINGS, VLLM_USE_V2_MODEL_RUNNER=str(int(named == "V2")))
    if not torch.cuda.is_available():
        os.environ.update(WITHOUT_GPU)
    with tempfile.TemporaryDirectory() as made:
        os.environ["XDG_CACHE_HOME"] = made
        print(json.dumps(run(named, Path(made) / "model")))

"""Problems, rows, pairs, trainers, evaluation. Each name is loaded when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statelang.training.data import make_data
    from statelang.training.dpo import DpoSettings, train_dpo
    from statelang.training.evaluate import evaluate
    from statelang.training.problems import problems
    from statelang.training.rows import Pair, Row, read_pairs, read_rows
    from statelang.training.sft import SftSettings, train_sft

_LAZY = {
    "DpoSettings": "dpo",
    "Pair": "rows",
    "Row": "rows",
    "SftSettings": "sft",
    "evaluate": "evaluate",
    "make_data": "data",
    "problems": "problems",
    "read_pairs": "rows",
    "read_rows": "rows",
    "train_dpo": "dpo",
    "train_sft": "sft",
}

__all__ = [
    "DpoSettings",
    "Pair",
    "Row",
    "SftSettings",
    "evaluate",
    "make_data",
    "problems",
    "read_pairs",
    "read_rows",
    "train_dpo",
    "train_sft",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(f"statelang.training.{_LAZY[name]}"), name)
    raise AttributeError(f"module `statelang.training` has no name `{name}`")

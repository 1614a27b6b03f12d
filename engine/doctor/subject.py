"""A model's folder, or its name on a hub, as far as a run depends on it; weights are never read."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from statelang.diagnostics import StatelangError
from statelang.engine.doctor.findings import Place
from statelang.source import Source, Span

TOKENIZER = "tokenizer_config.json"
CONFIG = "config.json"
GENERATION = "generation_config.json"
TEMPLATE = "chat_template.jinja"


@frozen
class Subject:
    """A tokenizer with the configurations beside it; `config` and `generation` may be absent.

    `files` are the texts that they were read from, empty where there is none; `absent` says of a
    part that could not be read why.
    """

    name: str
    tokenizer: Any = field(repr=False)
    config: Any = field(repr=False)
    generation: Any = field(repr=False)
    files: Mapping[str, Source] = field(repr=False)
    absent: Mapping[str, str]

    def place(self, file: str, *keys: str) -> Place:
        """The first of some keys that a file of the model has, or its beginning."""
        source = self.files[file]
        for key in keys:
            start = source.text.find(f'"{key}"')
            if start >= 0:
                return source, Span(start, start + len(key) + 2)
        return source, Span(0, 0)

    def option(self, name: str) -> Place:
        """Where an option of generation is stated; older models have them in their config.json."""
        in_config = f'"{name}"' not in self.files[GENERATION].text
        return self.place(CONFIG if in_config and self.files[CONFIG].text else GENERATION, name)

    @property
    def stops(self) -> frozenset[int]:
        """The stop tokens of the tokenizer and of the generation configuration."""
        own = self.tokenizer.eos_token_id
        return frozenset([*self.configured, *([] if own is None else [own])])

    @property
    def configured(self) -> tuple[int, ...]:
        """The stop tokens of the generation configuration: those at which `generate` stops."""
        return _listed(getattr(self.generation, "eos_token_id", None))

    @property
    def width(self) -> int | None:
        """How many logits the model gives; None where that is not known."""
        return _number(self.config, "vocab_size")

    @property
    def context(self) -> int | None:
        """How many tokens the model can read; None where that is not known."""
        return _number(self.config, "max_position_embeddings")


def read(model: str) -> Subject:
    """The tokenizer and the configurations of a model. No code of the model's is run.

    Args:
        model: A folder or a name, as `from_pretrained` takes it; a tokenizer alone will do.

    Raises:
        StatelangError: there is no tokenizer that can be loaded.
    """
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig
    from transformers.utils import logging as messages

    if not Path(model).is_dir() and (model.startswith((".", "/", "~")) or model.count("/") > 1):
        raise StatelangError(
            f"model {model}: there is no such folder. Name a folder that save_pretrained wrote, or "
            "a model on a hub."
        )
    absent: dict[str, str] = {}
    before = messages.get_verbosity()
    messages.set_verbosity(logging.ERROR)
    try:
        tokenizer = _loaded(AutoTokenizer, model, absent, TOKENIZER)
        if tokenizer is None:
            raise StatelangError(
                f"model {model}: its tokenizer cannot be loaded ({absent[TOKENIZER]}). Save it "
                "with save_pretrained, or name another folder."
            )
        config = _loaded(AutoConfig, model, absent, CONFIG)
        generation = _loaded(GenerationConfig, model, absent, GENERATION)
        if generation is None and config is not None:
            generation = GenerationConfig.from_model_config(config)
    finally:
        messages.set_verbosity(before)
    files = {name: _source(model, name) for name in (TOKENIZER, CONFIG, GENERATION, TEMPLATE)}
    return Subject(model, tokenizer, config, generation, files, absent)


def _loaded(kind: Any, model: str, absent: dict[str, str], file: str) -> Any:
    # The loaders raise whatever their file formats raise; all of it means "not readable".
    try:
        options = {} if file == GENERATION else {"trust_remote_code": False}
        return kind.from_pretrained(model, **options)
    except Exception as error:
        absent[file] = " ".join(str(error).split())[:200] or type(error).__name__
        return None


def _source(model: str, file: str) -> Source:
    """The text of a file of the model; empty where there is none."""
    from transformers.utils.hub import cached_file

    path: str | Path | None = Path(model) / file
    if not Path(model).is_dir():
        path = cached_file(
            model, file, _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )  # fmt: skip
    try:
        text = Path(path or "").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    return Source(text, f"{model}/{file}")


def _number(config: Any, name: str) -> int | None:
    """A number of a configuration, or of the text part of one of several parts."""
    for part in (config, getattr(config, "text_config", None)):
        found = getattr(part, name, None)
        if isinstance(found, int):
            return found
    return None


def _listed(ids: int | Iterable[int] | None) -> tuple[int, ...]:
    return () if ids is None else (ids,) if isinstance(ids, int) else tuple(ids)

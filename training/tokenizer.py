"""A byte-level BPE tokenizer learnt from given texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

PAD = "<pad>"
STOP = "</s>"

# Every character lies in exactly one piece, so splitting loses nothing. A digit is a piece of its
# own: a model this small learns arithmetic on digits only. So is a capitalised word without the
# space before it: a name is then one token wherever it stands, and taking it over from prose into
# an equation is copying. Other words, and runs of signs, take the spaces beside them along.
_PIECES = r"\p{N}|[\p{Lu}\p{Lt}][\p{L}\p{M}]*| ?\p{L}[\p{L}\p{M}]* ?| ?[^\s\p{L}\p{N}]+ ?|\s"


def train_tokenizer(
    texts: Iterable[str], literals: Sequence[str], *, vocabulary: int = 2000
) -> PreTrainedTokenizerFast:
    """A tokenizer of at most `vocabulary` tokens, fewer where the texts give no more merges.

    It holds all 256 bytes, so `decode(encode(x)) == x` for any text. Those `literals` (a grammar's
    quoted texts) that are more than one word or sign, tags above all, become one token each, not
    special ones: they are text of a trace, and decoding keeps them.
    `<pad>` and `</s>` are special. Text that spells one of the two is read as its bytes, so that no
    problem can end a trace.
    """
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=_learn(texts, literals, vocabulary),
        pad_token=PAD,
        eos_token=STOP,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        split_special_tokens=True,
    )


def _learn(texts: Iterable[str], literals: Sequence[str], vocabulary: int) -> Tokenizer:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    added = [literal for literal in dict.fromkeys(literals) if _is_tag(literal, tokenizer)]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(added),
        min_frequency=2,
        special_tokens=[PAD, STOP],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_between(texts, added), trainer=trainer)
    tokenizer.add_tokens([AddedToken(literal, normalized=False) for literal in added])
    return tokenizer


def _between(texts: Iterable[str], literals: Sequence[str]) -> Iterator[str]:
    """The texts without the literals, so that no merge is spent on parts of a tag."""
    if not literals:
        yield from texts
        return
    longest_first = sorted(literals, key=len, reverse=True)
    tags = re.compile("|".join(map(re.escape, longest_first)))
    for text in texts:
        yield from tags.split(text)


def _is_tag(literal: str, tokenizer: Tokenizer) -> bool:
    """Whether a literal is to be one token.

    One that is a single piece may become one by itself; as an added token, `" "` would cut every
    text at its spaces. The byte-level decoder reads added tokens in its own spelling of bytes, in
    which `é` is one byte and no text; a literal that it would misread is left to the merges too.
    """
    pieces = tokenizer.pre_tokenizer.pre_tokenize_str(literal)
    return len(pieces) > 1 and tokenizer.decoder.decode([literal]) == literal

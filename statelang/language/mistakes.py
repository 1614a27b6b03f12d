"""What somebody who wrote something that is no Lark notation probably meant."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from statelang.diagnostics import Diagnostic
from statelang.source import Source, Span


@frozen
class _Habit:
    """A notation of somewhere else: how it begins, and what it is here."""

    pattern: re.Pattern[str]
    code: str
    message: str
    help: str


def _habit(pattern: str, code: str, message: str, help: str) -> _Habit:
    return _Habit(re.compile(pattern), code, message, help)


# In this order, each tried at the place of the error. `{0}` is what was found there.
_HABITS: Final = (
    _habit(r"#[^\n]*", "SL008", "`#` begins no comment in the portable profile", "write `//`"),
    _habit(
        r"'(?:\\.|[^'\\\n])*'?", "SL007", "texts stand in double quotes", 'write `"` for each `\'`'
    ),
    _habit(
        r"\\[ \t\r]*(?=\n|$)", "SL009", "a line is not continued with a backslash",
        "begin the next line with `|`, or name a part of the rule and put it on a line of its own",
    ),
    _habit(
        r":?:?=", "SL018", "`{0}` is the notation of another grammar language",
        "a rule is written `name : item item | item`",
    ),
    _habit(
        r"(?=\w*[A-Z])(?=\w*[a-z])[A-Za-z_]\w*", "SL016", "`{0}` mixes capitals and small letters",
        "write rules as `small_letters` and terminals as `CAPITALS`",
    ),
    _habit(r'"(?:\\.|[^"\\\n])*', "SL001", "this text is never closed",
           'end it with `"` on the same line'),
    _habit(r"/(?:\\.|[^/\\\n])*", "SL001", "this expression is never closed",
           "end it with `/` on the same line"),
    _habit(r"<[^>\n]*>?", "SL001", "`{0}` is no item", 'put it in double quotes: `"{0}"`'),
    _habit(r"\{[^}\n]*\}?", "SL001", "a repetition is not written `{0}`",
           "write `item~2..5`; inside an expression `{{2,5}}` is right"),
)  # fmt: skip


def mistake(source: Source, at: int, width: int, *, rule_form: bool) -> Diagnostic:
    """The finding about a text that cannot be read on from the character `at`.

    `width` is how many characters were read there; with `rule_form`, a rule's form is the help.
    """
    text = source.text
    rest = text[at:].split("\n", 1)[0]
    if rest.lstrip().startswith("|"):
        return _apart(source, at + len(rest) - len(rest.lstrip()))
    if text[at : at + 1] == ":" and text[at - 1 : at] == ":":
        at -= 1
    for habit in _HABITS:
        found = habit.pattern.match(text, at)
        if found:
            words = _short(found[0])
            return Diagnostic(
                habit.code, habit.message.format(words), source, Span(at, max(found.end(), at + 1)),
                help=habit.help.format(words),
            )  # fmt: skip
    message = f"`{_short(rest) or 'the end of the line'}` is not expected here"
    help_ = "remove it, or close what is open before it"
    if rule_form:
        help_ = "a rule is written `name : item item | item`"
    return Diagnostic("SL001", message, source, Span(at, at + max(1, width)), help=help_)


def _apart(source: Source, at: int) -> Diagnostic:
    """An alternative that something separates from those before it."""
    above = source.text[:at].rstrip().rsplit("\n", 1)[-1].lstrip()
    if above.startswith("//"):
        return Diagnostic(
            "SL017", "a comment stands between two alternatives", source, Span(at, at + 1),
            label="llguidance reads no alternative after a comment",
            help="put the comment above the rule, or at the end of an alternative's line",
        )  # fmt: skip
    return Diagnostic(
        "SL001", "an alternative stands apart from its rule", source, Span(at, at + 1),
        help="a rule begins with its name: `name : item | item`",
    )  # fmt: skip


def _short(text: str) -> str:
    return text.strip()[:30]

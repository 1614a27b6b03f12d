"""The words of the contract language with what each means, in one line."""

from __future__ import annotations

from typing import Final

# Clause words by where they stand: on the whole file, on a rule, on a terminal.
OF_FILE: Final = {
    "ghost": "A register: a value that the machine keeps beside the text.",
    "input": "A value that comes with the problem.",
    "answer": "Which field holds the answer of a trace, and how answers compare.",
    "limit": "How often an action may be taken in one trace.",
    "invariant": "A condition that always holds; helps to prove that the machine cannot lock.",
}
OF_RULE: Final = {
    "requires": "A condition that must hold for this rule to be taken.",
    "checks": "A condition that is judged once the rule is complete.",
    "set": "The next value of a register, once the rule is complete.",
    "writes": "The environment writes this field, never the model.",
    "mark": "Keep all registers as they are now under a key.",
    "restore": "Put the registers back that were kept under a key.",
    "depth": "How deep a rule that is in itself may be nested.",
}
OF_TERMINAL: Final = {"type": "What the text of this terminal means."}
CLAUSES: Final = OF_FILE | OF_RULE | OF_TERMINAL

# With their arguments, as they are called.
FUNCTIONS: Final = {
    "count": ("count(action)", "How often an action has been taken so far."),
    "last": ("last(action).FIELD", "A field of the last step by that action."),
    "old": ("old(register)", "A register as it was when the rule was opened."),
    "size": ("size(collection)", "How many items a set, map or list has, or letters a text."),
    "keys": ("keys(map)", "The keys of a map, as a set."),
    "values": ("values(map)", "The values of a map, as a set."),
    "sorted": ("sorted(items)", "The items in order, as a list."),
    "names": ("names(text)", "The names in an arithmetic text, as a set."),
    "fill": ("fill(text, map)", "An arithmetic text with its names replaced by their values."),
    "value": ("value(text, map)", "What an arithmetic text comes to, names looked up in the map."),
    "div": ("div(a, b)", "The whole part of a quotient, rounded down."),
    "mod": ("mod(a, b)", "What `div` leaves over."),
    "digits": ("digits(number)", "The digits of a whole number, as a list."),
}
TYPES: Final = {
    "text": "Characters.",
    "number": "An exact rational number.",
    "truth": "`true` or `false`.",
    "set": "`set[T]`: items without order or repetition.",
    "list": "`list[T]`: items in order.",
    "map": "`map[K, V]`: a value for each key.",
}
COMPARISONS: Final = {
    "number": "Answers compare by value.",
    "text": "Answers compare as texts.",
    "choice": "Answers compare as one of several names.",
    "rows": "Answers compare as a bag of rows.",
    "ordered rows": "Answers compare as rows in their order.",
}
VALUES: Final = {
    "if": "`if` condition `then` value `else` value.",
    "not": "True where a condition is false.",
    "true": "Always.",
    "false": "Never.",
}
CONNECTIVES: Final = {
    "and": "True where both sides are; the right side is judged only if the left is true.",
    "or": "True where one side is; the right side is judged only if the left is false.",
    "in": "Whether a set, a map or a list holds a value.",
    "not in": "Whether a set, a map or a list lacks a value.",
    "then": "The value where the condition is true.",
    "else": "The value where the condition is false.",
}
EXTRA: Final = {
    "hidden": "An input that the prompt does not show.",
    "kept": "A register that `restore` never puts back.",
    "as": "How answers compare.",
    "ordered": "Answers compare as rows in their order.",
}
WORDS: Final = VALUES | CONNECTIVES | EXTRA

"""Generated state spaces with contracts, small enough for all their texts to be written out.

Actions share beginnings, fields stand bare, in parts, under `?`, in lists and in alternatives, next
to each other without a word between them; registers of every kind feed conditions of every kind.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field, frozen
from hypothesis import strategies as st

NUMBERS: Final = {
    "NUM": "/[0-3]/",
    "INT": "/0|-?[1-3][0-3]?/",
    "DEC": r"/-?[0-2](\.[05]{1,2})?/",
    "PADDED": "/0{0,2}[1-4]/",
}
TEXTS: Final = {
    "ID": "/[a-c]/",
    "WORD": "/[ab]{1,2}/",
    "KEY": '"yes" | "no" | "né"',
    "FAR": "/[éèñ]{1,2}/",
    "PREFIXES": '"s" | "st" | "sto"',
}
TAGS: Final = ("a ", "ab ", "<a>", "<ab>", "<", "go ", "→ ", "⇒", "é: ")
LINKS: Final = (", ", ": ", " = ", "|", " é ", "/", "")
ENDS: Final = ("\\n", ";", "</a>", "!", "é\\n")
# Of each kind of text some, for registers and inputs.
SOME: Final = {
    "ID": ("a", "b", "c"),
    "WORD": ("a", "ab", "ba"),
    "KEY": ("no", "yes", "né"),
    "FAR": ("é", "éè", "ñ"),
    "PREFIXES": ("s", "st", "sto"),
}


@frozen
class Generated:
    """A grammar file and the problem that comes with it."""

    grammar: str
    problem: dict[str, Any]


@frozen
class Known:
    """A field that a clause can name."""

    path: str
    numeric: bool
    several: bool = False  # a list


@define
class Maker:
    """Makes one file; every choice is Hypothesis's."""

    draw: st.DrawFn
    text: str = ""  # the terminals that most fields have, so that fields can agree
    number: str = ""
    used: set[str] = field(factory=set)
    parts: list[str] = field(factory=list)
    lasts: list[tuple[str, str, bool]] = field(factory=list)  # action, field, whether a number
    actions: list[str] = field(factory=list)

    def one(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def some(self, chance: int) -> bool:
        """True in about `chance` of ten cases; the smallest example has False."""
        return int(self.draw(st.integers(0, 9))) >= 10 - chance

    def terminal(self, taken: set[str]) -> tuple[str, bool]:
        usual = [name for name in (self.text, self.number) if name not in taken]
        free = [name for name in (*TEXTS, *NUMBERS) if name not in taken]
        name = self.one(*usual) if usual and not self.some(2) else self.one(*free)
        taken.add(name)
        self.used.add(name)
        return name, name in NUMBERS

    # -- payloads

    def piece(self, taken: set[str]) -> tuple[str, list[Known]]:
        """One piece of a payload and its fields."""
        kind = self.draw(st.integers(0, 12))
        name, numeric = self.terminal(taken)
        match kind:
            case 6:
                return f'("{self.one("?", " ", "~")}" {name})?', [Known(name, numeric)]
            case 7:
                bound = self.one("~1..2", "*", "+")
                # A condition on an endless list asks for a search, which is bounded.
                listed = [Known(name, numeric, several=True)] if bound == "~1..2" else []
                return f'{name} ("," {name}){bound}', listed
            case 8:
                other, also = self.terminal(taken)
                return f'("+" {name} | "-" {other})', [Known(name, numeric), Known(other, also)]
            case 9 | 10 | 12:
                part = f"part{len(self.parts)}"
                self.parts.append("")
                name = self.one(self.text, self.number) if kind != 10 else name
                numeric = name in NUMBERS
                self.used.add(name)
                body = name if kind != 10 else f'{name} "." {self.terminal(taken)[0]}'
                own = [Known(name, numeric)]
                above = self.clauses(own, self.one(0, 1, 1)) if self.some(6) else []
                self.parts[int(part[4:])] = "".join(above) + f"{part} : {body}"
                fields = [Known(f"{part}.{name}", numeric)]
                return part, [*fields, Known(part, numeric and kind != 10)]
            case 11:
                part = f"part{len(self.parts)}"
                depth = self.one(1, 2)
                text = f'//@ depth {depth}\n{part} : {name}\n    | "(" {part} ")"'
                self.parts.append(text)
                return part, [Known(part, False)]
        return name, [Known(name, numeric)]

    def payload(self) -> tuple[str, list[Known]]:
        taken: set[str] = set()
        text, fields = self.piece(taken)
        for _ in range(self.one(0, 0, 1, 1, 2)):
            link = self.one(*LINKS)
            more, found = self.piece(taken)
            text = f'{text} "{link}" {more}' if link else f"{text} {more}"
            fields += found
        return text, fields

    # -- clauses

    def numeral(self, fields: list[Known]) -> str:
        """An expression whose value is a number."""
        numbers = [f.path for f in fields if f.numeric and not f.several]
        options = ["n", "n", str(self.draw(st.integers(0, 3))), "n + 1", "n / 2", "n / 3"]
        options += ["size(had)", "base", "k", "k - n", "div(n, 2)", "mod(n + 1, 3)", "size(of)"]
        options += [f"count({action})" for action in self.actions]
        options += [f"last({a}).{f}" for a, f, numeric in self.lasts if numeric]
        for path in numbers:
            options += [path, path, f"{path} + n", f"{path} / 2", f"2 * {path}", f"{path} / n"]
        for f in fields:
            if not f.numeric and not f.several:
                options += [f"of[{f.path}]"]
            if f.several:
                options += [f"size({f.path})"]
        return str(self.one(*options))

    def collection(self) -> str:
        """An expression whose value is a set of texts."""
        more = f'had | {{"{SOME[self.text][0]}"}}'
        return str(self.one("pool", "had", more, "pool", "keys(of)", "pool - had"))

    def condition(self, fields: list[Known], earlier: list[Known]) -> str:
        """One condition on the last of some fields."""
        last = fields[-1]
        if last.several:
            inside = "1" if last.numeric else f'"{SOME[self.text][0]}"'
            return str(self.one(f"{inside} in {last.path}", f"size({last.path}) < 2"))
        if last.numeric:
            relation = self.one("==", "==", "!=", "<", "<=", ">", ">=", "~")
            return f"{last.path} {relation} {self.numeral(earlier)}"
        texts = [f.path for f in earlier if not f.numeric and not f.several]
        texts += [f"last({a}).{f}" for a, f, numeric in self.lasts if not numeric]
        single = self.one(*texts, "word", f"(if n > 0 then word else {self.one(*texts, 'word')})")
        return str(
            self.one(
                f"{last.path} in {self.collection()}",
                f"{last.path} in {self.collection()}",
                f"{last.path} not in {self.collection()}",
                f"{last.path} == {single}",
                f"{last.path} != {single}",
                f"of[{last.path}] {self.one('==', '<')} {self.numeral(earlier)}",
            )
        )

    def gate(self) -> str:
        """A condition without a field."""
        relation = self.one("<", "==", ">", "!=", "<=")
        options = [f"{self.numeral([])} {relation} {self.numeral([])}", "word in had"]
        options += [f"size({self.collection()}) {relation} 1", "not word in pool"]
        return str(self.one(*options))

    def requires(self, fields: list[Known]) -> str:
        cut = self.draw(st.integers(1, len(fields))) if fields else 0
        if not cut or self.some(1):
            return self.gate()
        about = fields[:cut]
        first = self.condition(about, about[:-1])
        if self.some(3):
            join = self.one("and", "or")
            other = self.gate() if self.some(4) else self.condition(about, about[:-1])
            return f"{first} {join} {other}"
        return f"not ({first})" if self.some(1) and "~" not in first else first

    def assignment(self, fields: list[Known]) -> tuple[str, str]:
        """A register and its next value."""
        plain = [f for f in fields if not f.several]
        texts = [f.path for f in plain if not f.numeric]
        options = [("n", self.numeral(plain)), ("n", "n + 1"), ("k", "old(n)"), ("k", "n / 2")]
        options += [("n", "old(n) + 1")]
        for path in texts:
            options += [("had", f"had | {{{path}}}"), ("had", f"had - {{{path}}}")]
            options += [("had", f"had | {{{path}}}"), ("word", path)]
            options += [("of", f"of | {{{path}: {self.numeral(plain)}}}")]
        name, new = self.one(*options)
        return name, new

    def clauses(self, fields: list[Known], sets_at_least: int = 0) -> list[str]:
        """The lines above a rule."""
        found = [f"//@ requires {self.requires(fields)}\n" for _ in range(self.one(1, 0, 1, 2))]
        count = max(sets_at_least, self.one(0, 1, 1, 2))
        sets = dict(self.assignment(fields) for _ in range(count))
        found += [f"//@ set {name} = {new}\n" for name, new in sets.items()]
        return found

    # -- the file

    def changing(self, name: str) -> str:
        """A step with a part that changes what a condition on it, or on what is before it, reads."""
        part, text = f"part{len(self.parts)}", self.text
        self.used.add(text)
        own = self.one(f"had | {{{text}}}", f"had - {{{text}}}", "{}", "pool")
        self.parts.append(f"//@ set had = {own}\n//@ set word = {text}\n{part} : {text}")
        field, before = self.one((part, ""), (text, f'("?" {text})? '), (text, f"{text} "))
        condition = self.one("in had", "not in had", "in pool - had", "== word", "!= word")
        new = self.one("had", "pool", f"had | {{{part}}}")
        above = f"//@ requires {field} {condition}\n//@ set had = {new}\n"
        return f'{above}{name} : "{self.one(*TAGS)}" {before}"," {part} "{self.one(*ENDS)}"'

    def echoing(self, name: str) -> str:
        """A step in which the text of one field decides what may follow, in it or after it."""
        part, text = f"part{len(self.parts)}", self.one("FAR", "WORD")
        self.used |= {text, "NUM"}
        self.parts.append(f"{part} : {text}")
        known = ", ".join(f'"{each}": {index}' for index, each in enumerate(SOME[text]))
        rest, condition = self.one(
            (part, f"{part} == {text}"),
            (part, f"{part} in pool or {text} not in pool"),
            ("NUM", f"NUM == {{{known}}}[{text}]"),
            ("NUM", f"NUM == size({text})"),
        )
        above = f"//@ requires {condition}\n//@ set word = {text}\n"
        return f'{above}{name} : "{self.one(*TAGS)}" {text} "{self.one(*LINKS[:-1])}" {rest} ";"'

    def action(self, name: str) -> str:
        special = self.draw(st.integers(0, 9))
        if special > 5:
            return self.changing(name) if special < 8 else self.echoing(name)
        tag, end = self.one(*TAGS), self.one(*ENDS)
        if self.some(1):
            return "".join(self.clauses([])) + f'{name} : "{tag}{name}{end}"'
        text, fields = self.payload()
        above = "".join(self.clauses(fields))
        self.lasts += [(name, f.path, f.numeric) for f in fields[:1] if not f.several]
        body = f'"{tag}" {text} "{end}"'
        if self.some(2):
            also, more = self.payload()
            own = f"  //@ requires {self.requires(more)}" if self.some(5) else ""
            body += f'\n    | "{self.one(*TAGS)}" {also} "{end}"{own}'
            above = "".join(self.clauses([]))
        return f"{above}{name} : {body}"

    def transition(self, states: list[str]) -> str:
        action = self.one(*self.actions)
        options = [f"{action} {self.one(*states)}", action, f"{action} {self.one(*states)}"]
        if self.some(2):
            options += [f"_call {self.one(*states)}"]
        gated = f"  //@ requires {self.gate()}" if self.some(2) else ""
        return str(self.one(*options)) + gated

    def file(self) -> Generated:
        """The text of a file, which need not load."""
        self.text, self.number = self.one(*TEXTS), self.one(*NUMBERS)
        names = [f"act{i}" for i in range(self.one(1, 2, 2, 3))]
        written = []
        for name in names:
            self.actions.append(name)
            written.append(self.action(name))
        if self.some(2):
            names += ["save", "back"]
            self.actions += ["save", "back"]
            self.used.add(self.text)
            for name, clause in (("save", "mark"), ("back", "restore")):
                sets = dict(self.assignment([Known(self.text, False)]) for _ in range(2))
                lines = [f"//@ {clause} {self.text}\n"]
                lines += [f"//@ set {register} = {new}\n" for register, new in sets.items()]
                written.append("".join(lines) + f'{name} : "{name} " {self.text} "\\n"')
        states = ["_s0", "_s1"][: self.one(1, 2)]
        lines = []
        for state in ("start", *states, "_call"):
            rows = [self.transition(states) for _ in range(self.one(1, 2, 2, 3))]
            if state == "_call":
                rows = [row for row in rows if not row.startswith("_call")] or [names[0]]
            if state != "_call" and self.some(7):
                rows.append("bye")
            elif not any(len(row.split("  ")[0].split()) == 1 for row in rows):
                rows.append(self.one(*names))
            lines.append(f"{state} : " + "\n    | ".join(dict.fromkeys(rows)))
        if "_call _" not in "\n".join(lines):
            lines.pop()
        for name in names:
            if name not in " ".join(lines).split():
                lines[1] += f"\n    | {name} {states[0]}"
        kept = "kept " if self.some(1) else ""
        few = SOME[self.text]
        pool = [*self.one(few[:2], few, few[:1], few[1:], few[:2], few, ())]
        head = [
            f"//@ ghost n: number = {self.one(0, 1, 2)}",
            f"//@ ghost {kept}k: number = {self.one(1, 0)}",
            f"//@ ghost had: set[text] = {self.one('{}', 'pool')}",
            "//@ ghost of: map[text, number] = {}",
            f'//@ ghost word: text = "{self.one(*few)}"',
            "//@ input pool: set[text]",
            "//@ input base: number",
        ]
        head = [*head[-2:], *head[:-2]]
        head += [f"//@ limit {name} {self.one(1, 2)}" for name in names if self.some(6)]
        terminals = [
            ("//@ type number\n" if name in NUMBERS else "") + f"{name} : {(NUMBERS | TEXTS)[name]}"
            for name in (*TEXTS, *NUMBERS)
            if name in self.used
        ]
        text = "\n\n".join(
            ["\n".join(head), "\n".join(lines), *written, *self.parts, 'bye : "."', *terminals]
        )
        return Generated(text + "\n", {"pool": pool, "base": self.one(1, 2, 0, 3)})


@st.composite
def files(draw: st.DrawFn) -> Generated:
    """Grammar files with contracts; most load."""
    return Maker(draw).file()

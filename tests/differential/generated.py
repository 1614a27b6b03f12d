"""Grammars in the portable profile, made from a seed: states, calls, payloads, recursion."""

from __future__ import annotations

import random
from typing import Final

TERMINALS: Final = {
    "NUM": "/[0-9]{1,3}/",
    "INT": "/0|-?[1-9][0-9]*/",
    "DEC": r"/-?[0-9]+(\.[0-9]{1,2})?/",
    "WORD": "/[a-z]+/",
    "LOUD": "/[a-c]{1,4}/i",
    "ID": "/[A-Z][a-z]{1,3}/",
    "PAIR": "ID? NUM",
    "HEX": '("0".."9" | "a".."f")~2',
    "LINE": r"/[^<\n]{1,12}/",
    "TEXT": "/[^<]+/",
    "FAR": "/[à-öß€]{1,3}/",
    "KEY": '"yes" | "no" | "né"',
    "FLAG": '"on"i | "off"i',
    "SIGN": "/ [-+*] /",
    "ANY": r"/([ab]|c(d|e)*f){2,4}/",
    "CODE": r"/([^<]|<+[^<\/])*<+\/x>/",
}
MARKS: Final = ("<", "[", "→ ", "a:", "ab", "so ")
LINKS: Final = (", ", "; ", "=", "|", " é ", "\\n", "::", "/")


class Maker:
    """Makes one grammar; everything is drawn from `chance`."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"grammar {seed}")
        self.rules: list[str] = []
        self.used: set[str] = set()

    def terminal(self) -> str:
        name = self.chance.choice(list(TERMINALS))
        self.used.add(name)
        return name

    def link(self) -> str:
        return f'"{self.chance.choice(LINKS)}"'

    def item(self, depth: int) -> str:
        """One piece of a payload."""
        chance = self.chance
        kind = chance.random()
        if kind < 0.45 or depth > 2:
            return self.terminal()
        if kind < 0.55:
            return f"({self.link()} {self.item(depth + 1)})?"
        if kind < 0.65:
            inner, link = self.item(depth + 1), self.link()
            return f"{inner} ({link} {inner}){chance.choice(('*', '+', '~1..3', '~2'))}"
        if kind < 0.75:
            one, other = self.link(), self.link()
            return f"({one} {self.item(depth + 1)} | {other} {self.item(depth + 1)})"
        if kind < 0.9:
            return self.part(depth)
        return f"[{self.link()} {self.terminal()}]"

    def part(self, depth: int) -> str:
        """A part of its own; some hold themselves."""
        name = f"part{len(self.rules)}"
        self.rules.append("")
        place = len(self.rules) - 1
        if self.chance.random() < 0.3:
            leaf = self.terminal()
            body = f'{leaf}\n    | "(" {name} ({self.link()} {name})? ")"'
        else:
            body = self.payload(depth + 1)
        self.rules[place] = f"{name} : {body}"
        return name

    def payload(self, depth: int = 0) -> str:
        items = [self.item(depth)]
        while self.chance.random() < 0.4:
            items += [self.link(), self.item(depth)]
        return " ".join(items)

    def grammar(self) -> str:
        """The text of a grammar file; in the profile or nearly so."""
        chance = self.chance
        actions = [f"act{i}" for i in range(chance.randint(1, 4))]
        states = [f"_s{i}" for i in range(chance.randint(0, 3))]
        lines = []
        for state in ["start", *states]:
            options = []
            for action in chance.sample(actions, chance.randint(1, len(actions))):
                options.append(f"{action} {chance.choice(states)}" if states else action)
            if not states or chance.random() < 0.7:
                options.append(chance.choice(actions))
            if state != "start" and chance.random() < 0.3:
                options.append("")
            if len(states) > 1 and chance.random() < 0.15:
                options.append(f"{chance.choice(states)} {chance.choice(states)}")
            lines.append(f"{state} : " + "\n    | ".join(dict.fromkeys(options)))
        for action in actions:
            mark = chance.choice(MARKS) + (action if chance.random() < 0.8 else "")
            end = chance.choice(("</x>\\n", "\\n", ">", "."))
            body = (
                f'"{mark}" {self.payload()} "{end}"' if chance.random() < 0.9 else f'"{mark}{end}"'
            )
            lines.append(f"{action} : {body}")
        lines += self.rules
        if "PAIR" in self.used:
            self.used |= {"ID", "NUM"}
        lines += [f"{name} : {TERMINALS[name]}" for name in TERMINALS if name in self.used]
        return "\n".join(lines) + "\n"


def grammar(seed: int) -> str:
    """The generated grammar of a seed."""
    return Maker(seed).grammar()


def near_misses(trace: str, chance: random.Random, count: int) -> list[str]:
    """Texts one edit away from a trace; some are legal still."""
    found = []
    for _ in range(count):
        at = chance.randrange(len(trace) + 1)
        char = chance.choice(trace + "<>/.,;=|:()é→0aA \n-")
        other = chance.randrange(len(trace) + 1)
        found.append(
            chance.choice(
                (
                    trace[:at] + trace[at + 1 :],
                    trace[:at] + char + trace[at:],
                    trace[:at] + char + trace[at + 1 :],
                    trace[: min(at, other)] + trace[max(at, other) :],
                    trace + trace[at:],
                    trace[:at],
                )
            )
        )
    return found

"""Names that the tests of contract clauses resolve: registers, fields and one action."""

from statelang.clauses.values import NUMBER, TEXT, TRUTH, Type, list_of, map_of, set_of

REGISTERS = {
    "n": NUMBER,
    "word": TEXT,
    "open": set_of(TEXT),
    "seen": set_of(NUMBER),
    "known": map_of(TEXT, NUMBER),
    "plans": map_of(TEXT, TEXT),
    "row": list_of(NUMBER),
    "flag": TRUTH,
}
FIELDS = {"NUMBER": NUMBER, "WORD": TEXT, "part.NUMBER": NUMBER, "ITEMS": list_of(TEXT)}


class Names:
    """Registers, fields and one action to resolve names in."""

    def register(self, name: str) -> tuple[int, Type] | None:
        return (list(REGISTERS).index(name), REGISTERS[name]) if name in REGISTERS else None

    def action(self, name: str) -> int | None:
        return 0 if name == "solve" else None

    def field(self, path: tuple[str, ...]) -> tuple[int, Type] | str:
        name = ".".join(path)
        if name in FIELDS:
            return list(FIELDS).index(name), FIELDS[name]
        return f"there is no field `{name}`"

    def last(self, action: int, path: tuple[str, ...]) -> tuple[int, Type] | str:
        return self.field(path)

    def opening(self) -> int:
        return len(FIELDS)

    def names(self) -> list[str]:
        return [*REGISTERS, *FIELDS]

"""Load and check grammar files: read, parse, analyse, resolve, compile."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from statelang.clauses.resolve import near
from statelang.compiling.compiler import Compiler, TooLarge
from statelang.compiling.program import Program
from statelang.diagnostics import Diagnostic, GrammarError, Severity, StatelangError
from statelang.language.analysis import leaves, references, table
from statelang.language.syntax import Definition, File, Literal, parse
from statelang.language.terminals import Terminals
from statelang.regular.automaton import TooComplex
from statelang.source import Source, Span
from statelang.space import Action, State, StateSpace, Terminal, Transition

if TYPE_CHECKING:
    from statelang.liveness import Liveness


def shipped() -> tuple[str, ...]:
    """The names of the state spaces that come with this package."""
    folder = files("statelang.grammars")
    return tuple(sorted(p.name[:-5] for p in folder.iterdir() if p.name.endswith(".lark")))


def read(name_or_path: str | Path) -> Source:
    """The text of a grammar file, or of a shipped space by its name. Raises StatelangError."""
    name = str(name_or_path)
    path: Path | Traversable = Path(name)
    if isinstance(name_or_path, str) and name in shipped():
        path = files("statelang.grammars").joinpath(f"{name}.lark")
    elif not name.endswith(".lark") and not _is_file(Path(name)):
        known, close = ", ".join(shipped()), near(name[:100], shipped())
        raise StatelangError(
            f"there is no state space `{name}`: it is neither a file nor one of the shipped spaces "
            f"({known}); {close and f'{close} Else '}give one of these names or the path of a "
            ".lark file"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise StatelangError(
            f"`{name}` is not UTF-8 (byte {error.start}); save the grammar file as UTF-8"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no path"
        raise StatelangError(
            f"`{name}` cannot be read: {reason}; give the path of a .lark file"
        ) from None
    if text.startswith("\ufeff"):
        raise StatelangError(
            f"`{name}` begins with a byte order mark, which other readers of Lark refuse; save the "
            "grammar file as UTF-8 without one"
        )
    return Source(text, name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a null byte
        return False


def load(name_or_path: str | Path) -> StateSpace:
    """A state space from a file or by its shipped name.

    Raises:
        GrammarError: the file breaks a rule of the language; every finding is in it.
        StatelangError: there is no such file, or it is not UTF-8.
    """
    return _load(read(name_or_path))


def loads(text: str, name: str = "<text>") -> StateSpace:
    """A state space from the text of a grammar file. Raises GrammarError."""
    return _load(Source(text, name))


def _load(source: Source) -> StateSpace:
    _, space, findings = _examined(source)
    if space is None:
        raise GrammarError(f for f in findings if f.severity is Severity.ERROR)
    return space


def check(path_or_text: str | Path) -> list[Diagnostic]:
    """Every finding about a grammar file (a path, a shipped name, or the text itself).

    A string of several lines, or with a colon that is not in the name of a file, is a text.
    Raises StatelangError where a path cannot be read.
    """
    is_text = isinstance(path_or_text, str) and ("\n" in path_or_text or ":" in path_or_text)
    if is_text and not _is_file(Path(str(path_or_text))):
        source = Source(str(path_or_text))
    else:
        source = read(path_or_text)
    return examine(source)


def liveness_of(source: Source) -> Liveness | None:
    """Whether every trace of a space can be ended; None where the file has errors."""
    from statelang.liveness import liveness

    space = _examined(source)[1]
    return None if space is None else liveness(space)


def examine(source: Source) -> list[Diagnostic]:
    """Every finding about a grammar file that has been read, in the order of their places."""
    from statelang import checks

    file, space, findings = _examined(source)
    found = list(findings)
    if file is not None and space is not None:
        try:
            found += checks.about(file, space)
        except (TooComplex, RecursionError):
            found.append(_too_large(source))
    return sorted(found, key=lambda f: (f.span.start, f.code))


@lru_cache(maxsize=64)
def _examined(source: Source) -> tuple[File | None, StateSpace | None, tuple[Diagnostic, ...]]:
    """The tree and the space of a file, the latter if it has no errors, and what was found: all but
    the warnings about a space, which `load` does not ask for."""
    from statelang import checks  # what reads a grammar is light without them

    try:
        file = parse(source)
    except GrammarError as error:
        return None, None, error.diagnostics
    if not file.definitions:
        help_ = "a state space has at least `start : action` and a rule for the action"
        empty = Diagnostic("SL003", "the file is empty", source, Span(0, 1), help=help_)
        return file, None, (empty,)
    findings = checks.before(file)
    if _errors(findings):
        return file, None, tuple(findings)
    try:
        space, registers, more = _compiled(file)
        findings += checks.compiled(file, registers, more)
        if space is not None:
            findings += checks.against(file, space)
    except (TooLarge, TooComplex, RecursionError):
        return file, None, (*findings, _too_large(source))
    return file, None if _errors(findings) else space, tuple(findings)


def _too_large(source: Source) -> Diagnostic:
    message = "the grammar unfolds to more than can be compiled"
    help_ = "use smaller bounds and less nesting"
    return Diagnostic("SL004", message, source, Span(0, 1), help=help_)


def _errors(findings: list[Diagnostic]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def _compiled(file: File) -> tuple[StateSpace | None, set[str], list[Diagnostic]]:
    """The space, the names of its registers, and what its terminals and contracts have against it.

    Raises TooLarge.
    """
    definitions = table(file)
    terminals = Terminals(file.source, definitions)
    languages = terminals.compile()
    compiler = Compiler(file.source, definitions, terminals, languages, _actions(definitions))
    program = compiler.run(file.comments)
    found = [*terminals.findings, *compiler.findings]
    space = None if found else _space(file, definitions, compiler, program)
    return space, {register.name for register in compiler.registers}, found


def _actions(definitions: dict[str, Definition]) -> tuple[str, ...]:
    """The rules that states refer to, in the order of the file."""
    used = {
        reference.name
        for definition in definitions.values()
        if definition.is_state
        for reference in references(definition)
        if not definitions[reference.name].is_state
    }
    return tuple(name for name in definitions if name in used)


def _space(
    file: File, definitions: dict[str, Definition], compiler: Compiler, program: Program
) -> StateSpace:
    transitions, stops = [], set()
    for definition in definitions.values():
        if not definition.is_state:
            continue
        for index, alternative in enumerate(definition.alternatives):
            one = Definition("", alternative.span, (alternative,), 0)
            names = [reference.name for reference in references(one)]
            gates = tuple(c.text for c in compiler.gates.get((definition.name, index), ()))
            if not names:
                stops.add(definition.name)
                continue
            target = names[1] if len(names) == 2 else None
            is_call = definitions[names[0]].is_state
            transitions.append(
                Transition(
                    definition.name,
                    None if is_call else names[0],
                    target,
                    names[0] if is_call else None,
                    gates,
                )
            )
    states = [State(d.name, d.doc) for d in definitions.values() if d.is_state]
    docs = [
        " ".join(c.text for c in block)
        for block, following in file.comments[:1]
        if following == 0 and not any(c.contract for c in block)
    ]
    return StateSpace(
        name=Path(file.source.name).name.removesuffix(".lark").strip("<>"),
        source=file.source,
        doc=docs[0] if docs else "",
        states=tuple(sorted(states, key=lambda s: s.name != "start")),
        actions=tuple(Action(name, definitions[name].doc) for name in compiler.actions),
        transitions=tuple(transitions),
        terminals=tuple(
            Terminal(name, language, compiler.types[name], definitions[name].doc)
            for name, language in compiler.languages.items()
        ),
        registers=tuple(compiler.registers),
        stops=frozenset(stops),
        contracts={
            d.name: tuple(c.text for c in d.contracts)
            for d in definitions.values()
            if d.contracts and not d.is_terminal
        },
        literals=_literals(definitions),
        program=program,
    )


def _literals(definitions: dict[str, Definition]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for definition in definitions.values():
        if not definition.is_terminal:
            for leaf in leaves(definition.body):
                if isinstance(leaf, Literal):
                    found[leaf.value] = None
    return tuple(found)

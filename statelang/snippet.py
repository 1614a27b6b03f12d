"""Lines of a source with places in them marked, as a compiler prints them.

What is shown comes from strangers: characters that would move the cursor or turn the direction of
the text are replaced, tabs become spaces, wide characters count two cells, long lines are cut.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Final

from attrs import frozen

from statelang.source import Source, Span

WIDTH: Final = 100  # cells of a source line that are shown
_BEFORE: Final = 30  # cells shown before the first mark of a line that is cut
_TAB: Final = "    "

Paint = Callable[[str, str], str]  # a style's name and a text -> the text in that style


@frozen
class Label:
    """A place and what is to say about it."""

    span: Span
    text: str = ""


@frozen
class _Mark:
    """A label on one line, in cells from the line's beginning."""

    start: int
    end: int
    text: str
    primary: bool


def visible(text: str) -> str:
    """The text with every character that would act on a terminal replaced."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char)[0] for char in text)


def _shown(char: str) -> tuple[str, int]:
    """How a character is written, and the cells it takes."""
    if char == "\t":
        return _TAB, len(_TAB)
    category = unicodedata.category(char)
    if category in ("Cc", "Cf", "Cs", "Zl", "Zp"):  # controls, direction, surrogates, line ends
        return "\N{REPLACEMENT CHARACTER}", 1
    if category in ("Mn", "Me"):
        return char, 0
    return char, 2 if unicodedata.east_asian_width(char) in "WF" else 1


def snippet(
    source: Source,
    primary: Label,
    also: Iterable[Label],
    notes: Iterable[tuple[str, str]],
    paint: Paint,
) -> Iterator[str]:
    """The lines under the labels, each with its marks: `^` for `primary`, `-` for the others; then
    the notes, each a word and a text. Of a place that spans lines the first one is marked.
    """
    labels = [(primary, True), *((label, False) for label in also)]
    placed = sorted(
        ((*source.position(label.span.start), label, is_primary) for label, is_primary in labels),
        key=lambda entry: entry[:2],
    )
    gutter = len(str(placed[-1][0]))
    line, column = source.position(primary.span.start)
    yield f"{' ' * gutter}{paint('gutter', '-->')} {visible(source.name)}:{line}:{column}"
    bar = paint("gutter", f"{' ' * gutter} |")
    yield bar
    last = placed[0][0]
    for number, group in groupby(placed, key=lambda entry: entry[0]):
        if number == last + 2:
            yield _numbered(last + 1, gutter, _cut(source.line(last + 1), 0)[0], paint)
        elif number > last + 2:
            yield paint("gutter", "...")
        last = number
        text = source.line(number)
        marks = [_mark(text, at - 1, label, is_primary) for _, at, label, is_primary in group]
        for window in _windows(text, marks):
            shown, shift = _cut(text, window[0].start)
            yield _numbered(number, gutter, shown, paint)
            for row in _marked(window, shift, paint):
                yield f"{bar} {row}".rstrip()
    for word, note in notes:
        yield f"{' ' * gutter} {paint('gutter', '=')} {paint('title', word)}: {visible(note)}"


def _numbered(number: int, gutter: int, text: str, paint: Paint) -> str:
    return f"{paint('gutter', f'{number:>{gutter}} |')} {text}".rstrip()


def _cells(text: str) -> int:
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(_shown(char)[1] for char in text)


def _mark(text: str, column: int, label: Label, primary: bool) -> _Mark:
    start = _cells(text[:column])
    width = _cells(text[column : column + label.span.end - label.span.start])
    return _Mark(start, start + max(width, 1), label.text, primary)


def _windows(text: str, marks: list[_Mark]) -> Iterator[list[_Mark]]:
    """The marks of a line, parted so that each part fits the line as it is cut for its first."""
    whole, window = _cells(text) <= WIDTH, marks[:1]
    for mark in marks[1:]:
        if whole or mark.start < max(window[0].start - _BEFORE, 0) + WIDTH:
            window.append(mark)
        else:
            yield window
            window = [mark]
    yield window


def _cut(text: str, start: int) -> tuple[str, int]:
    """At most WIDTH cells of a line around a cell, and how far its cells have moved left."""
    if _cells(text) <= WIDTH:
        return visible(text), 0
    first = max(start - _BEFORE, 0) if start > WIDTH - _BEFORE else 0
    if text.isascii() and text.isprintable():  # a long line may be cut once for each finding
        dots = "..." if first else "", "..." if first + WIDTH < len(text) else ""
        return f"{dots[0]}{text[first : first + WIDTH]}{dots[1]}", first - len(dots[0])
    shown, at, begin = "", 0, None
    for char in text:
        written, cells = _shown(char)
        if at >= first + WIDTH:
            return f"{'...' if first else ''}{shown}...", (begin or 0) - 3 * bool(first)
        if at >= first:
            begin = at if begin is None else begin
            shown += written
        at += cells
    return f"...{shown}", (begin or 0) - 3


def _marked(marks: list[_Mark], shift: int, paint: Paint) -> Iterator[str]:
    """The rows below a line: all marks, then the texts that find no room beside them."""
    row, limit = "", WIDTH + 6
    styles: list[tuple[str, str]] = []
    for mark in marks:
        start = max(mark.start - shift, len(row))
        sign = "^" if mark.primary else "-"
        piece = sign * min(max(mark.end - shift - start, 1), max(limit - start, 1))
        styles += [("", " " * (start - len(row))), (_style(mark), piece)]
        row += " " * (start - len(row)) + piece
    if marks[-1].text:
        styles.append((_style(marks[-1]), f" {visible(marks[-1].text)}"))
    yield "".join(paint(style, text) for style, text in styles)
    waiting = [mark for mark in marks[:-1] if mark.text]
    if waiting:
        yield _bars(waiting, shift, paint)
    while waiting:
        mark = waiting.pop()
        bars = _bars([w for w in waiting if w.start < mark.start], shift, paint)
        column = max((w.start - shift + 1 for w in waiting if w.start < mark.start), default=0)
        text = paint(_style(mark), visible(mark.text))
        yield f"{bars}{' ' * (mark.start - shift - column)}{text}"


def _bars(marks: list[_Mark], shift: int, paint: Paint) -> str:
    row, at = "", 0
    for mark in marks:
        if mark.start - shift >= at:
            row += " " * (mark.start - shift - at) + paint(_style(mark), "|")
            at = mark.start - shift + 1
    return row


def _style(mark: _Mark) -> str:
    return "primary" if mark.primary else "secondary"

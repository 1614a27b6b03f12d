"""Portable regular expressions: the same texts as Python's `re`, and refusals by name."""

import re
import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from statelang.regular import regex
from statelang.regular.automaton import NOTHING

LETTERS = "abAé€ß\n -1x"

_characters = st.sampled_from(
    ["a", "b", "A", "é", "€", "1", "-", " ", "<", ">", ":", "]", "}", "\\.", "\\\\", "\\/", "\\n",
     "\\-", "\\[", "\\x41", "\\u00e9", "\\u20AC", "."]
)  # fmt: skip
_members = st.sampled_from(
    ["a", "b", "x", "é", "€", "a-c", "A-Z", "0-9", "à-ÿ", "\\n", "\\]", "\\\\", "\\x41", "<", ".",
     "\\u0080-\\uffff", " "]
)  # fmt: skip
_classes = st.builds(
    lambda negated, members: f"[{negated}{''.join(members)}]",
    st.sampled_from(["", "^"]),
    st.lists(_members, min_size=1, max_size=3),
)
_bounds = st.sampled_from(["*", "+", "?", "{2}", "{0}", "{1,3}", "{0,1}", "{2,}"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.builds("{}{})".format, st.sampled_from(["(", "(?:"]), inner)
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join).map("({})".format),
        st.builds("{}{}".format, st.one_of(_characters, _classes, group), _bounds),
    )


patterns = st.recursive(st.one_of(_characters, _classes), _grown, max_leaves=6)
flags = st.sampled_from(["", "i", "s", "is"])


def _compiled(pattern: str, flags: str) -> re.Pattern[str]:
    return re.compile(pattern, sum(getattr(re, flag.upper()) for flag in flags))


@given(patterns, st.sampled_from(["", "s"]), st.data())
@example("[^a-c]", "i", None)
def test_the_language_is_that_of_re(pattern: str, flags: str, data: st.DataObject | None) -> None:
    """A portable pattern holds exactly the texts that `re.fullmatch` takes, with each flag."""
    own, theirs = regex.parse(pattern, flags), _compiled(pattern, flags)
    texts = ["", "a", "B", "é", "É", "€", "\n", "C", "ab"]
    if data is not None:
        texts.append(data.draw(st.text(LETTERS, max_size=5)))
        if own is not NOTHING:
            texts.append(data.draw(st.from_regex(theirs, fullmatch=True)))
    for text in texts:
        assert own.matches(text.encode()) == bool(theirs.fullmatch(text)), text


@given(st.text(st.sampled_from("ab[]()?*+{}1,2-^\\x&~|d<u")))
def test_what_is_read_is_read_by_re_without_a_warning(pattern: str) -> None:
    """Any text is either refused with a place inside it, or a pattern that `re` reads alike."""
    try:
        own = regex.parse(pattern)
    except regex.RegexError as error:
        assert 0 <= error.offset <= len(pattern)
        assert str(error)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # `[[`, `&&`, `--`: sets to other readers
        theirs = re.compile(pattern)
    for text in ("", "a", "b", "ab", "aab", "1", "[", "}", "\\", "&", "-", "x"):
        assert own.matches(text.encode()) == bool(theirs.fullmatch(text)), text


@given(st.integers(0, 0x10FFFF), st.integers(0, 0x10FFFF), st.integers(0, 0x10FFFF))
@example(0, 0x10FFFF, 0xDFFF)
@example(0x7F, 0x800, 0x80)
@example(0xFFFF, 0x10000, 0xFFFF)
def test_a_range_of_characters_is_their_utf8(low: int, high: int, code: int) -> None:
    """A range holds the UTF-8 of its characters, each once, and of no other; no surrogate is one."""
    low, high = min(low, high), max(low, high)
    language = regex.characters(((low, high),))
    for each in (low, high, code, max(low - 1, 0), min(high + 1, 0x10FFFF)):
        spelled = chr(each).encode("utf-8", "surrogatepass")
        expected = low <= each <= high and not 0xD800 <= each <= 0xDFFF
        assert language.matches(spelled) == expected


@given(st.text(max_size=4), st.text(max_size=4))
def test_a_text_is_itself_alone(value: str, other: str) -> None:
    """A quoted text holds its own spelling and nothing else."""
    language = regex.text(value)
    assert language.matches(value.encode())
    assert language.matches(other.encode()) == (value == other)


@pytest.mark.parametrize("word", ["Ja", "éÀ", "да", "Σ", "k", "s", "µ"])
def test_ignoring_case_is_that_of_re(word: str) -> None:
    """With the flag `i` a text or class holds what `re` with IGNORECASE takes, in any script."""
    theirs = re.compile(re.escape(word), re.IGNORECASE)
    for other in (word, word.upper(), word.lower(), word.swapcase(), "K", "ſ", "ς", "μ"):
        expected = bool(theirs.fullmatch(other))
        assert regex.text(word, ignore_case=True).matches(other.encode()) == expected, other
        classes = "".join(f"[{char}]" for char in word)
        assert regex.parse(classes, "i").matches(other.encode()) == expected, other


@pytest.mark.parametrize(
    ("pattern", "message", "offset"),
    [
        ("a*?", "a lazy or possessive repetition is not portable", 1),
        ("a++", "a lazy or possessive repetition is not portable", 1),
        ("a{2}{3}", "a repetition of a repetition needs a group", 4),
        ("a**", "a repetition of a repetition needs a group", 2),
        ("^a", "the anchor `^` is not portable", 0),
        ("a$", "the anchor `$` is not portable", 1),
        ("x(?=a)", "only plain and `(?:...)` groups are portable", 1),
        ("(?P<n>a)", "only plain and `(?:...)` groups are portable", 0),
        ("a\\d", "`\\d` is not portable; write the characters as a class", 1),
        ("\\bword", "`\\b` is not portable; write the characters as a class", 0),
        ("(a)\\1", "`\\1` is not portable; write the characters as a class", 3),
        ("\\p{L}", "`\\p` is not portable; write the characters as a class", 0),
        ("[\\w]", "`\\w` is not portable; write the characters as a class", 1),
        ("\\<", "`\\<` is not portable; write the characters as a class", 0),
        ("a\\", "`\\` is not portable; write the characters as a class", 1),
        ("\\xzz", "`\\xzz` is not a character", 0),
        ("*a", "`*` repeats nothing", 0),
        ("(+)", "`+` repeats nothing", 1),
        ("a{x}", "a bound is written `{3}`, `{1,4}` or `{2,}`", 1),
        ("a{,3}", "a bound is written `{3}`, `{1,4}` or `{2,}`", 1),
        ("a{1", "a bound is written `{3}`, `{1,4}` or `{2,}`", 1),
        ("a{3,2}", "the bound `{3,2}` admits nothing", 1),
        ("a{100001}", "a bound above 100,000 is not allowed", 1),
        ("b(a", "`(` is never closed", 1),
        ("ba)", "`)` closes nothing", 2),
        ("a[bc", "`[` is never closed", 1),
        ("[]", "`[` is never closed", 0),
        ("[z-a]", "this range runs backwards", 1),
    ],
)  # fmt: skip
def test_what_is_not_portable_is_refused_by_name(pattern: str, message: str, offset: int) -> None:
    """Each construct that readers take differently is refused, with its place."""
    with pytest.raises(regex.RegexError) as caught:
        regex.parse(pattern)
    assert str(caught.value) == message
    assert caught.value.offset == offset


@pytest.mark.parametrize("pattern", ["\\x4", "\\x+1", "\\x 1", "\\u1_23", "\\u12", "\\01", "a{٣}"])
def test_half_an_escape_is_refused(pattern: str) -> None:
    """An escape has all its digits, and digits are 0 to 9: other readers refuse the rest."""
    with pytest.raises(regex.RegexError):
        regex.parse(pattern)


@pytest.mark.parametrize("pattern", ["[[a]", "[a&&b]", "[a--b]", "[a~~b]", "[[:alpha:]]", "[a||b]"])
def test_set_notation_inside_a_class_is_refused(pattern: str) -> None:
    """What is a set operation in Rust and a warning in Python is no portable class."""
    with pytest.raises(regex.RegexError):
        regex.parse(pattern)


def test_groups_nest_to_a_bound() -> None:
    """Fifty groups deep is read, one more is refused: no input exhausts the stack."""
    assert regex.parse("(" * 50 + "a" + ")" * 50).matches(b"a")
    with pytest.raises(regex.RegexError, match="nested deeper than 50"):
        regex.parse("(" * 51 + "a" + ")" * 51)


def test_a_bound_of_many_digits_is_refused() -> None:
    """A bound with more digits than Python reads as one number is an error with its place."""
    with pytest.raises(regex.RegexError, match="a bound above 100,000 is not allowed") as caught:
        regex.parse("ab{" + "9" * 5_000 + "}")
    assert caught.value.offset == 2

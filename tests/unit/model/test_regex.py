import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fks_master.model import regex
from fks_master.model.regex import Regex

LONGEST_BODY = 64 * 1024


@pytest.mark.parametrize(
    ("expression", "text", "is_in"),
    [
        ("ok", "it is ok", True),
        ("^ok$", "ok", True),
        ("^ok$", "ok\n", True),
        ("^ok$", "ok\n\n", False),
        (r"^ok\z", "ok\n", False),
        ("(?m)^ok$", "well\nok\nthen", True),
        ("(?i)größe", "GRÖSSE GRÖßE", True),
        ("^.$", "€", True),
        ("a.c", "a\nc", False),
        ("(?s)a.c", "a\nc", True),
        ("", "", True),
        ("x", "\ud800", False),
    ],
)
def test_expressions_find_what_they_mean(expression: str, text: str, *, is_in: bool) -> None:
    assert Regex(expression).is_in(text) is is_in


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("(?=a)ok", '"(?=" at character 1: it cannot look ahead'),
        ("a(?!b)", '"(?!" at character 2: it cannot look ahead; what may not stand in a body goes into "excludes"'),
        ("x(?<=a)b", '"(?<=" at character 3: it cannot look behind'),
        (r"(a)\1", r'"\1" at character 4: it cannot refer back to a group'),
        ("(?P<n>a)(?P=n)", '"(?P" at character 9: it cannot refer back to a group'),
        (r"ok\Z", r'"\Z" at character 3: the end of the text is "\z"'),
        (r"\u20ac", r'"\u" at character 1: a character by its number is "\x{20ac}"'),
        ("[**]a**", '"**" at character 6: bad repetition operator'),
        ("a{1001}", '"{1001}" at character 2: invalid repetition size'),
        ("äö(ab", "missing ), unterminated subpattern at character 3"),
        ("x[a-", "unterminated character set at character 2"),
        ("a)", "unbalanced parenthesis at character 2"),
        ("a\\", "bad escape (end of pattern) at character 2"),
        (r"(\pL{1,100}){9}", "pattern too large - compile failed"),
        ("a.{1,200}b", "less to keep in mind"),
        ("a" * 2001, "at most 2000 characters"),
    ],
)
def test_what_it_does_not_know_is_told_with_its_place(expression: str, told: str) -> None:
    with pytest.raises(ValueError, match="a regular expression") as error:
        Regex(expression)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "expression", ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*a){20}$", "(a?){25}a{25}c", "(.*)(.*)(.*)x"]
)
def test_no_body_makes_an_expression_take_long(expression: str) -> None:
    found = Regex(expression)
    began = time.process_time()
    found.is_in("a" * (LONGEST_BODY - 1) + "!")
    assert time.process_time() - began < 5  # Python's re would need longer than there is time


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_is_too_odd(expression: str, text: str) -> None:
    try:
        found = Regex(expression)
    except ValueError as error:
        words = str(error)
    else:
        words = f"a regular expression is there: {found.is_in(text)}"
    assert words.startswith("a regular expression")


def test_without_the_package_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    regex._re2.cache_clear()
    try:
        with pytest.raises(ValueError, match="google-re2 is not installed"):
            Regex("ok")
    finally:
        regex._re2.cache_clear()

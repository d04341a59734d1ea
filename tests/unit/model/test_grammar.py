import pytest
from hypothesis import given
from hypothesis import strategies as st

from fks_master.model import grammar


@pytest.mark.parametrize(
    ("text", "status", "is_in"),
    [("200", 200, True), ("200", 201, False), ("200-299", 299, True), ("2XX", 204, True), ("2xx", 300, False)],
)
def test_status_ranges(text: str, status: int, is_in: bool) -> None:
    assert (status in grammar.parse_status(text)) is is_in


@pytest.mark.parametrize("text", ["", "ok", "99", "600", "299-200", "2x", "200-", "6xx"])
def test_what_is_no_status_range_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="status"):
        grammar.parse_status(text)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("status", ("status",)),
        ("$.a.b[0].c", ("a", "b", 0, "c")),
        ("[3]", (3,)),
        ("""a["odd.key"]['x']""", ("a", "odd.key", "x")),
        ("$", ()),
    ],
)
def test_paths(text: str, steps: tuple[str | int, ...]) -> None:
    assert grammar.parse_path(text) == steps


@pytest.mark.parametrize("text", ["a[", "a[x]", "a['", "."])
def test_what_is_no_path_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="path"):
        grammar.parse_path(text)


@pytest.mark.parametrize(
    ("text", "found", "holds"),
    [
        ("ok", "ok", True),
        ("ok", "OK", False),
        ("12", 12.0, True),
        ("12", "12", True),
        ("true", True, True),
        ("1", True, False),
        ("null", None, True),
        ("!= down", "up", True),
        ("< 5", 4.9, True),
        (">= 5", "5", True),
        ("> 5", None, False),
        ("> 5", "many", False),
        ("~ ^v[0-9]+", "v12", True),
        ("~ ^v[0-9]+", 12, False),
        ("exists", None, True),
        ("== exists", "exists", True),
        ('{"a":1}', {"a": 1}, True),
    ],
)
def test_conditions(text: str, found: object, holds: bool) -> None:
    assert grammar.parse_condition(text).holds(found) is holds


@pytest.mark.parametrize("text", ["< many", ">=", "~ ("])
def test_what_is_no_condition_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"a number|a regular expression"):
        grammar.parse_condition(text)


@given(st.text(max_size=30))
def test_no_text_is_too_odd(text: str) -> None:
    parsers = (grammar.parse_status, grammar.parse_path, grammar.parse_regex, grammar.parse_condition)
    for parse in parsers:
        expected = grammar.expected_by(parse)(text)
        assert expected is None or expected.startswith("a")


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (grammar.header_name, "X-Token", "X Token"),
        (grammar.header_value, "Bearer x", "a\r\nInjected: 1"),
        (grammar.proxy, "socks5h://proxy:1080", "ftp://proxy"),
        (grammar.path, "/run/app.sock", " "),
    ],
)
def test_strings_are_checked(check: object, good: str, bad: str) -> None:
    assert check(good) is None  # type: ignore[operator]
    assert check(bad)  # type: ignore[operator]

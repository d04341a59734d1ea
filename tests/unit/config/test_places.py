import pytest

from fks_master.config.places import MOST_PLACES, path_of, with_lines

TEXT = """\
# a comment

[monitoring]
batch_size = 5  # five

[[services]]
id = "one"
depends_on = [
  "two",
  # ]
]
notes = '''
[[services]]
'''
[services.labels]
"a b" = "x"
http.matches = ["("]
[[services]]
"""


@pytest.mark.parametrize(
    ("mistake", "line"),
    [
        ("monitoring: x", 3),
        ("monitoring.batch_size: x", 4),
        ("monitoring.missing: x", 3),
        ("services: x", 6),
        ("services[0]: x", 6),
        ("services[0].id: x", 7),
        ("services[0].depends_on[0]: x", 8),
        ("services[0].notes: x", 12),
        ("services[0].labels: x", 15),
        ('services[0].labels."a b": x', 16),
        ("services[0].labels.http.matches[0]: x", 17),
        ("services[1].id: missing", 18),
    ],
)
def test_a_mistake_is_found_in_the_line_where_its_statement_begins(mistake: str, line: int) -> None:
    assert with_lines(TEXT, [mistake]) == [f"line {line}: {mistake}"]


@pytest.mark.parametrize("mistake", ["nowhere: x", "expected something", '"cut …: x'])
def test_what_has_no_place_is_told_without(mistake: str) -> None:
    assert with_lines(TEXT, [mistake]) == [mistake]


def test_mistakes_come_in_the_order_of_their_lines() -> None:
    told = with_lines(TEXT, ["services[1]: b", "nowhere: c", "monitoring: a"])
    assert told == ["line 3: monitoring: a", "line 18: services[1]: b", "nowhere: c"]


def test_no_more_are_looked_for_than_anybody_reads() -> None:
    told = with_lines(TEXT, ["services: x"] * (MOST_PLACES + 1))
    assert told == ["line 6: services: x"] * MOST_PLACES + ["services: x"]


def test_no_long_file_and_no_long_statement_takes_long() -> None:
    assert with_lines("#" * (1 << 20) + "\na = 1\n", ["a: x"]) == ["a: x"]
    assert with_lines("a = [\n" + "1,\n" * 2000 + "]\nb = 1\n", ["a[5]: x", "b: x"]) == ["a[5]: x", "b: x"]


@pytest.mark.parametrize(
    ("mistake", "path"),
    [
        ('a.b-c[10]."d.\\"e"[0]: found', ("a", "b-c", 10, 'd."e', 0)),
        ("x", ("x",)),
        (": x", ()),
    ],
)
def test_a_path_is_read_off_a_mistake(mistake: str, path: tuple[str | int, ...]) -> None:
    assert path_of(mistake) == path

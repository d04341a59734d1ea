"""The page and the API cannot drift apart."""

from tests.api_types import TYPES, generated


def test_the_types_of_the_page_are_those_of_the_api() -> None:
    assert TYPES.read_text() == generated(), "run: python -m tests.api_types"

"""README and tutorial, followed line by line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docker_engine import compose_plugin
from tests.docs.runner import CHECKOUT, Reader, blocks_of, fits
from tests.tools import free_port

PORTS = ("9090", "8000", "9999")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    one = Reader(tmp_path, {name: free_port() for name in PORTS})
    yield one
    one.close()


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md", "docs/howto/use-the-api.md"])
def test_a_page_can_be_followed(page: str, reader: Reader) -> None:
    compose_plugin()
    reader.follow((CHECKOUT / page).read_text())


def test_a_block_is_found_with_what_is_to_be_done() -> None:
    page = "<!-- run: until exit=1 -->\n```bash\nfalse\n```\n<!-- run: stop=x -->\n```text\na\n```\n"
    assert [(each.kind, each.orders) for each in blocks_of(page)] == [
        ("bash", {"until": "", "exit": "1"}),
        ("", {"stop": "x"}),
        ("text", {}),
    ]


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```bash\nfalse\n```\n", "line 1"),
        ("```bash\necho hi\n```\n```text\nho\n```\n", "line 4"),
        ("```yaml\na: b\n```\n", "nobody runs"),
        ("```toml\na = 1\n```\n", "say where"),
    ],
)
def test_a_page_that_is_wrong_is_caught(page: str, complaint: str, reader: Reader) -> None:
    with pytest.raises(AssertionError, match=complaint):
        reader.follow(page)


def test_a_shell_remembers_folder_and_variables(reader: Reader) -> None:
    reader.follow(
        "```bash\nmkdir a\ncd a\nexport WORD=hi\n```\n```bash\necho $WORD ${PWD##*/}\n```\n```text\nhi a\n```\n"
    )


@pytest.mark.parametrize(
    ("wanted", "printed", "is_fit"),
    [("a …c", "a b c\n", True), ("a\n…\nd", "a\nb\nc\nd\n", True), ("a\nc", "a\nb\nc", False), ("a.c", "abc", False)],
)
def test_an_ellipsis_stands_for_anything(wanted: str, printed: str, is_fit: bool) -> None:
    assert fits(wanted, printed) is is_fit

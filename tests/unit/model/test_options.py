import re
from pathlib import Path

import pytest

from fks_master.config.load import load
from fks_master.config.schema import Config
from fks_master.errors import ConfigError
from fks_master.model import HttpOptions, HttpVersion, RecordType

DOCS = Path(__file__).parents[3] / "docs" / "checks.md"
SERVICE = '[[services]]\nid = "api"\nhealth_endpoint = "http://api/"\n'


def read(folder: Path, text: str) -> Config:
    file = folder / "monitor.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, {})


def test_the_example_of_the_documentation_is_a_good_file(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert example
    service = read(tmp_path, example[1]).services[0]
    assert service.http.version is HttpVersion.AUTO
    assert service.http.json["queue.depth"] == "< 100"
    assert service.tls.server_name == "app.internal"
    assert service.timeout_seconds == 3


def test_the_other_kinds_have_their_tables(tmp_path: Path) -> None:
    text = (
        '[[services]]\nid = "mail"\nhealth_endpoint = "dns://test"\ndns = { record = "MX", expected = ["10 mx"] }\n'
        '[[services]]\nid = "redis"\nhealth_endpoint = "tcp://redis:6379"\ntcp = { send = "PING", expect = "PONG" }\n'
    )
    mail, redis = read(tmp_path, text).services
    assert mail.dns.record is RecordType.MX
    assert redis.tcp.expect == "PONG"


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ('expected_status = ["2y"]', 'services[0].http.expected_status[0]: found "2y", expected a status or a range'),
        ('matches = ["("]', 'services[0].http.matches[0]: found "(", expected a regular expression'),
        ('json = { "a[" = "1" }', "expected a path into JSON"),
        ('json = { a = "< x" }', 'services[0].http.json.a: found "< x", expected a number after "<"'),
        ('headers = { "X Y" = "1" }', "expected the name of a header"),
        ('headers = { X = "secret\\nX: y" }', "services[0].http.headers.X: found a value that is not shown"),
        ('metod = "GET"', "services[0].http.metod: unknown key"),
        ('version = "4"', 'services[0].http.version: found "4", expected one of auto, 1.1, 2, 3'),
        ('proxy = "ftp://user:secret@proxy"', "services[0].http.proxy: found a value that is not shown"),
    ],
)  # fmt: skip
def test_each_mistake_is_told(tmp_path: Path, line: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"{SERVICE}[services.http]\n{line}\n")
    assert len(caught.value.mistakes) == 1
    assert mistake in caught.value.mistakes[0]
    assert "secret" not in caught.value.mistakes[0]


def test_headers_and_proxies_are_not_shown() -> None:
    assert "secret" not in repr(HttpOptions(headers={"X": "secret"}, proxy="http://secret@proxy"))

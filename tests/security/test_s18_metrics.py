"""S18: whatever is asked and whatever things are called, the series do not grow and the scrape parses."""

import http.client
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from tests.process import monitor


def series(text: str) -> int:
    return sum(len(family.samples) for family in text_string_to_metric_families(text))


def test_odd_paths_and_methods_make_no_series(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(
        '[[services]]\nid = "one"\nname = "a\\"b\\\\c\\nd \U0001f600 é"\nhealth_endpoint = "http://127.0.0.1:1/"\n'
    )
    with monitor("--config", str(path)) as one:
        connection = http.client.HTTPConnection(one.address.removeprefix("http://"), timeout=30)

        def ask(method: str, path: str) -> int:
            connection.request(method, path)
            answer = connection.getresponse()
            answer.read()
            return answer.status

        for method in ("GET", "HEAD", "POST", "PROPFIND", "MKCOL"):
            ask(method, "/nothing")
            ask(method, "/api/services/x/health")
        one.request("/metrics")
        before = series(one.request("/metrics")[2].decode())
        for number in range(5000):
            ask(("GET", "PROPFIND", "MKCOL", "HEAD")[number % 4], f"/odd/{number}/%00%ff{number}")
            ask("GET", f"/api/services/odd{number}/health")
        text = one.request("/metrics")[2].decode()
        assert series(text) <= before + 4
        assert "odd" not in text
        assert 'service_name="a\\"b\\\\c\\nd' in text
        connection.close()

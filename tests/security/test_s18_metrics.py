"""S18: whatever is asked and whatever things are called, the series do not grow and the scrape parses."""

import http.client
import random
import socket
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from tests.process import Monitor, monitor

from fks_master.metrics import Metrics
from fks_master.model import Service

ODD = 100_000
AT_A_TIME = 200  # in one packet after the other over one connection
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "MKCOL", "REPORT", "PURGE")


def series(text: str) -> int:
    return sum(len(family.samples) for family in text_string_to_metric_families(text))


def test_odd_paths_and_methods_make_no_series(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(
        '[[services]]\nid = "one"\nname = "a\\"b\\\\c\\nd \U0001f600 é"\nhealth_endpoint = "http://127.0.0.1:1/"\n'
    )
    with monitor("--config", str(path)) as one:
        connection = http.client.HTTPConnection(one.address.removeprefix("http://"), timeout=30)
        for method in METHODS:
            for known in ("/nothing", "/api/services/x/health", "/static/x"):
                connection.request(method, known)
                connection.getresponse().read()
        one.request("/metrics")
        before = series(one.request("/metrics")[2].decode())
        assert ask_oddly(one) == ODD
        text = one.request("/metrics")[2].decode()
        assert series(text) <= before + 4
        assert "odd" not in text
        assert 'service_name="a\\"b\\\\c\\nd' in text
        connection.close()


def ask_oddly(one: Monitor) -> int:
    """Ask for one odd path after the other, each another one, and count the answers."""
    host, port = one.address.removeprefix("http://").split(":")
    chance, answers = random.Random(18), 0  # noqa: S311
    with socket.create_connection((host, int(port)), timeout=30) as client, client.makefile("rb") as reader:
        for start in range(0, ODD, AT_A_TIME):
            methods = [chance.choice(METHODS) for _ in range(AT_A_TIME)]
            client.sendall(b"".join(odd(method, start + number) for number, method in enumerate(methods)))
            for method in methods:
                skip_answer(reader, method)
                answers += 1
    return answers


def odd(method: str, number: int) -> bytes:
    shapes = (
        "/odd/{n}/%00%ff{n}",
        "/api/services/odd{n}/health",
        "/{n}odd?{n}",
        "/api/odd{n}",
        "/metrics/odd{n}",
        "//odd{n}",
    )
    target = shapes[number % len(shapes)].format(n=number)
    return f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n".encode()


def skip_answer(reader: "socket.SocketIO", method: str) -> None:  # type: ignore[name-defined]
    assert reader.readline().startswith(b"HTTP/1.1 ")
    length = 0
    while (line := reader.readline()) not in {b"\r\n", b""}:
        if line.lower().startswith(b"content-length:"):
            length = int(line[15:])
    if method != "HEAD":
        reader.read(length)


def test_half_characters_in_names_do_not_spoil_the_scrape() -> None:
    metrics = Metrics(0.0)
    metrics.watch(Service("one\ud800", 'n\udfff"\\\n\r\0', "http://a/"))
    text = metrics.render(0.0, 0.0).decode()
    names = {
        sample.labels.get("service_name") for each in text_string_to_metric_families(text) for sample in each.samples
    }
    assert any(name and name.startswith("n\ufffd") for name in names)


def test_strange_request_ids_and_traces_make_no_series_either(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    with monitor("--config", str(path)) as one:
        one.request("/health")
        one.request("/metrics")
        before = series(one.request("/metrics")[2].decode())
        for number in range(200):
            answer = one.request(
                "/health", x_request_id=f"id-{number}", traceparent=f"{number}", user_agent=f"odd{number}"
            )
            assert answer[1]["x-request-id"] == f"id-{number}"
        assert series(one.request("/metrics")[2].decode()) <= before


def test_services_that_come_and_go_leave_no_series() -> None:
    metrics = Metrics(0.0)
    before = metrics.render(1.0, 1.0)
    for number in range(100):
        service = Service(f"s{number}", f"S {number}", "http://s/")
        metrics.watch(service)
        metrics.restart(service, True, 1.0)  # noqa: FBT003
        metrics.restart(service, False, 1.0)  # noqa: FBT003
        metrics.forget(service)
    assert metrics.render(1.0, 1.0) == before

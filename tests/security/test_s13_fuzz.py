"""S13: whatever stands in a config, a health body, a token or a command is met; nothing takes longer than 100 ms."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from tests.servers import listening, service

from fks_master.api.auth import Authority, Doorkeeper, Key, presented
from fks_master.api.live import Client
from fks_master.clock import SystemClock
from fks_master.config import formats
from fks_master.config.alerting import options_of
from fks_master.config.environment import read_environment
from fks_master.config.load import load
from fks_master.docker.compose.request import parse
from fks_master.docker.usage import usage_of
from fks_master.errors import ComposeRefusedError, ConfigError
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import HttpOptions, Outcome, Reason, grammar
from fks_master.probes import dns, request
from fks_master.probes.answer import BODY_LIMIT, find_fault, inflate
from fks_master.probes.detail import read_report
from fks_master.probes.prober import Prober
from fks_master.probes.route import names_to_resolve

T = TypeVar("T")

SHIPPED = (Path(__file__).parents[2] / "config" / "monitor.toml").read_text()
SECRET = "a secret of at least thirty-two bytes"
LIMIT_SECONDS = 0.1
EXAMPLES = int(os.environ.get("FKS_FUZZ_EXAMPLES", "0"))  # `make fuzz` tries many more, and others every time
often = settings(
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    max_examples=EXAMPLES or 300,
    suppress_health_check=list(HealthCheck),
)


def quickly(call: Callable[[], T]) -> T:
    """Call, and see that it takes little of the processor's time; a garbage collection falls into one try of three."""
    tracer = sys.gettrace()
    sys.settrace(None)  # what measures coverage would be measured too
    try:
        for _ in range(3):
            began = time.thread_time()
            found = call()
            if (seconds := time.thread_time() - began) < LIMIT_SECONDS:
                break
        assert seconds < LIMIT_SECONDS
    finally:
        sys.settrace(tracer)
    return found


texts = st.text(max_size=40)
odd_texts = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["\ud800", "\0", "a" * 5000, "{", "[", "'", '"', "\x1b[2J"]
)
numbers = st.integers(-(10**30), 10**30) | st.floats()
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4))


# Config.


def toml(value: object) -> str:
    """Write a value as TOML has it, inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool | str):
        return json.dumps(value)
    return "nan" if value is None else str(value)


KEYS = sorted(
    {word for line in SHIPPED.splitlines() for word in [line.partition("=")[0].strip()] if word.isidentifier()}
)
MORE = [
    "receivers", "routes", "maintenance", "http", "tls", "tcp", "dns", "labels", "depends_on", "json", "matches",
    "headers", "expected_status", "url", "hash", "scope", "expires", "interval_seconds", "unix_socket", "version",
    "expect", "record",
]  # fmt: skip
keys = st.sampled_from([*KEYS, *MORE]) | texts
written = st.recursive(
    scalars
    | st.sampled_from(["http://a/", "docker://a", "tcp://[::1", "sqlite:x", "2xx", "(", "5-1", "~ (", "$[", "3"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
SECTIONS = ["monitoring", "alerts", "server", "compose", "history", "control", "discovery", "heartbeats", "x"]


@st.composite
def configs(draw: st.DrawFn) -> bytes:
    """A file with the right sections and keys, and anything for values."""
    lines = []
    for section in draw(st.lists(st.sampled_from(SECTIONS), unique=True, max_size=4)):
        table = draw(st.dictionaries(keys, written, max_size=4))
        lines += [f"[{section}]", *(f"{json.dumps(key)} = {toml(value)}" for key, value in table.items())]
    for _ in range(draw(st.integers(0, 3))):
        table = {"id": "a", "health_endpoint": "http://a/"} | draw(st.dictionaries(keys, written, max_size=5))
        lines += ["[[services]]", *(f"{json.dumps(key)} = {toml(value)}" for key, value in table.items())]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The shipped file with a piece of it replaced."""
    content = SHIPPED.encode()
    at = draw(st.integers(0, len(content)))
    return (
        content[:at] + draw(st.binary(max_size=20) | texts.map(str.encode)) + content[at + draw(st.integers(0, 40)) :]
    )


@often
@given(configs() | damaged() | st.binary(max_size=500))
@example(b"x = " + b"[" * 100_000)
@example(b"[" + b"a." * 2_000 + b"a]\n")
@example(
    b"".join(
        b'[[services]]\nid = "a%d"\nhealth_endpoint = "http://a/"\ndepends_on = ["a%d"]\n' % (n, n + 1)
        for n in range(300)
    )
)
def test_any_config_is_taken_or_refused_with_its_mistakes(content: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(content)
        file.flush()

        def read() -> None:
            try:
                config = load(Path(file.name), {})
            except ConfigError as error:
                refused.append(error.mistakes)
                return
            options_of(config)
            Hub(config.services, config.policy, Metrics(0.0))
            for one in config.services:
                names_to_resolve(one.health_endpoint, one.http.proxy, one.http.unix_socket)

        refused: list[list[str]] = []
        quickly(read)
    assert all(mistakes and all(one.strip() for one in mistakes) for mistakes in refused)


VARIABLES = [
    "FKS_MASTER_HOST", "FKS_MASTER_PORT", "FKS_MONITOR_API_KEY", "FKS_WS_JWT_SECRET", "FKS_WS_JWT_SECRET_FILE",
    "FKS_WS_JWT_ALLOWED_ROLES", "FKS_OTEL_ENDPOINT", "FKS_TRACE_SAMPLE_RATIO", "FKS_JSON_LOG", "FKS_LOG_LEVEL",
    "RUST_LOG", "FKS_TLS_CERT", "FKS_TLS_KEY", "FKS_SERVICE_NAME", "DOCKER_HOST",
]  # fmt: skip


@often
@given(st.dictionaries(st.sampled_from(VARIABLES), odd_texts))
def test_any_environment_is_taken_or_refused_with_its_mistakes(environ: dict[str, str]) -> None:
    def read() -> None:
        with suppress(ConfigError):
            repr(read_environment(environ))

    quickly(read)


@often
@given(
    st.text(st.characters(), max_size=60) | st.from_regex(r"(https?|tcp|tls|dns|docker)://[\[\]@:/%?#0-9a-z.]{0,20}")
)
@example("http://[::1")
@example("http://a:99999/")
@example("dns://[::1]:53/a")
def test_an_address_that_the_config_takes_can_be_used(address: str) -> None:
    if quickly(lambda: formats.endpoint(address)) is not None:
        return
    names_to_resolve(address, None, None)
    request.is_same_host(address, "http://a/")
    dns.split(address)


@often
@given(st.text(st.characters(), max_size=60) | st.text("0123456789.[]\"'$<>=!~ ()*+?{}|\\ax", max_size=60))
def test_the_little_languages_take_a_text_or_say_what_they_expect(text: str) -> None:
    for parse_one in (grammar.parse_status, grammar.parse_path, grammar.parse_condition, grammar.parse_regex):

        def ask(parse_one: Callable[[str], object] = parse_one) -> None:
            with suppress(ValueError):
                parse_one(text)

        quickly(ask)


# Health bodies.

WORDS = [
    "status",
    "components",
    "dependencies",
    "details",
    "checks",
    "entries",
    "results",
    "latency_ms",
    "message",
    "duration",
]
SAID = ["healthy", "UP", "down", "degraded", "pass", "warn", "00:00:00.5", "1.02:03:04", "nan", "9" * 400]
said = st.recursive(
    scalars | st.sampled_from(SAID),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(WORDS) | texts, inner, max_size=6),
)
bodies = (
    st.binary(max_size=3000)
    | said.map(lambda value: json.dumps(value).encode())
    | st.tuples(said, st.integers(0, 200)).map(lambda both: json.dumps(both[0]).encode()[: both[1]])
)
OPTIONS = HttpOptions(
    expected_status=("200-299", "5xx"),
    contains=("a",),
    matches=("^[a-z]+",),
    json={
        "status": "~ ^(healthy|UP)$",
        "checks[0].latency_ms": "< 100",
        "details['a'].b": "!= 1",
        "components": "exists",
    },
)


@often
@given(bodies, st.integers(0, 999))
@example(b'{"status": 1e99999}', 200)
@example(b"\xef\xbb\xbf{}", 200)
@example(b'{"status":"down","message":"\\ud800","components":{"\\udfff":{"status":"down"}}}', 200)
@example(b'{"checks":' + b"[" * 30_000, 200)
@example(b'{"components":{"a":{"status":"up","duration":"' + b"1:" * 30_000 + b'"}}}', 200)
def test_any_body_is_judged(body: bytes, status: int) -> None:
    report = quickly(lambda: read_report(body[:BODY_LIMIT]))
    fault = quickly(lambda: find_fault(OPTIONS, status, body[:BODY_LIMIT]))
    msgspec.json.encode((report, fault))  # it becomes part of answers, messages and rows


@often
@given(st.binary(max_size=2000))
@example(b"")
def test_any_compressed_body_is_unpacked_or_left_alone(tail: bytes) -> None:
    assert len(quickly(lambda: inflate(b"\x1f\x8b" + tail))) <= max(BODY_LIMIT, len(tail) + 2)


@often
@given(values)
def test_any_statistics_of_docker_are_read(stats: object) -> None:
    quickly(lambda: usage_of(stats))


# Tokens.


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: object, claims: object) -> str:
    signing = f"{encoded(header)}.{encoded(claims)}"
    return f"{signing}.{encoded(hmac.new(SECRET.encode(), signing.encode(), hashlib.sha256).digest())}"


claims = st.dictionaries(st.sampled_from(["exp", "nbf", "iat", "sub", "roles", "aud"]) | texts, values, max_size=6)
sound = {"exp": time.time() + 3600, "roles": ["admin"]}
tokens = (
    odd_texts
    | st.tuples(st.just({"alg": "HS256"}) | values, claims | values | st.binary(max_size=50)).map(
        lambda pair: signed(*pair)
    )
    | claims.map(lambda more: signed({"alg": "HS256"}, {**more, **sound}))
    | st.tuples(texts, texts, texts).map(".".join)
)


@often
@given(tokens)
@example(signed({"alg": "HS256"}, {**sound, "sub": "\ud800"}))
@example(signed({"alg": "HS256"}, {**sound, "exp": 10**400}))
@example("." * 1_000_000)
def test_any_credential_is_somebody_or_nobody(token: str) -> None:
    keeper = Doorkeeper(Authority((Key.of("one", "key"),), SECRET), SystemClock())
    caller = quickly(lambda: keeper.who([token]))
    if caller is not None:
        msgspec.json.encode(caller.name)  # it is written down


@often
@given(st.lists(st.tuples(st.sampled_from([b"authorization", b"x-api-key"]), st.binary(max_size=60)), max_size=3))
def test_any_header_presents_something_or_nothing(headers: list[tuple[bytes, bytes]]) -> None:
    quickly(lambda: presented(Request({"type": "http", "headers": headers})))


# Commands.


class Watched:
    """As much of the live feed's surroundings as a command needs that is answered at once."""

    table: ClassVar[dict[str, object]] = {}
    watched = 0

    def health(self, service_id: str) -> None:
        return None


COMMANDS = ["subscribe_events", "clear_subscription", "subscribe_changes", "get_service_details", "compose", "x"]
commands = st.fixed_dictionaries(
    {"command_type": st.sampled_from(COMMANDS) | values},
    optional={"service_id": values, "event_types": values, "token": values},
)


@often
@given(commands.map(json.dumps) | values.map(json.dumps) | odd_texts)
@example("[" * 60_000)
@example('{"command_type":"subscribe_events","event_types":["' + '","'.join("x" * 20_000) + '"]}')
def test_any_command_is_answered(text: str) -> None:
    around: Any = Watched()
    answer = quickly(lambda: Client(around, around, around, around, around)._answer(text))
    assert answer is not None
    assert msgspec.json.decode(msgspec.json.encode(answer))["type"]


BODY = ["action", "services", "file", "project", "detach", "tail", "dry_run", "wait", "profiles", "env_file"]
asked = st.dictionaries(
    st.sampled_from(BODY) | texts, values | st.sampled_from(["up", "LOGS", "all", "../x", "-f"]), max_size=6
)


@often
@given(asked.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=200))
@example(b"[" * 60_000)
@example(json.dumps({"action": "up", "services": ["a"] * 10_000}).encode())
def test_any_body_for_compose_is_a_request_or_refused(body: bytes) -> None:
    def read() -> None:
        with suppress(ComposeRefusedError):
            parse(body)

    quickly(read)


@pytest.mark.parametrize("moment", [datetime.max.replace(tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
def test_a_token_is_judged_whatever_the_clock_says(moment: datetime) -> None:
    class Odd(SystemClock):
        def now(self) -> datetime:
            return moment

    assert Doorkeeper(Authority((), SECRET), Odd()).who([signed({"alg": "HS256"}, sound)]) is None


PIECES = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/2 200\r\n", b"HTTP/1.1 99999999999 x\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n", b"\r\n", b"\r\n\r\n", b"\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n", b"Content-Length: 18446744073709551616\r\n", b"Content-Length: 3, 3\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n",
    b"ffffffffffffffff\r\n", b"5;x=\x00\r\n", b"Location: \xff\r\n", b"Location: http://[\r\n", b": empty\r\n",
    b"X\x00Y: z\r\n", b"Content-Encoding: gzip\r\n", b'{"status":"healthy"}', b"\x1f\x8b\x08\x00", b"\x00" * 50,
    b"A" * 70_000, b" folded\r\n", b"Connection: close\r\n", b"\xef\xbb\xbf{}",
]  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/#libcurl"])  # what has a fragment is left to libcurl
async def test_any_answer_of_a_target_is_a_result_and_no_fault_of_ours(path: str) -> None:
    chance = random.Random(13)  # noqa: S311
    replies = [b"".join(chance.choices(PIECES, k=chance.randint(0, 8))) for _ in range(400)]
    waiting = iter(replies)

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(waiting))
        await writer.drain()

    prober = Prober(SystemClock())
    prober.start()
    async with listening(reply) as port:
        one = service(f"http://127.0.0.1:{port}{path}", timeout_seconds=10.0)
        for sent in replies:
            result = await prober.probe(one)
            assert result.reason is not Reason.INTERNAL, sent
            assert result.outcome is not Outcome.VOID, sent
            assert result.seconds < 5, sent
            msgspec.json.encode(result)
    await prober.close()

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.docker_engine import Engine
from tests.postgres import Cluster, cluster
from tests.process import monitor
from tests.servers import make_certificate

from fks_master.clock import SystemClock
from fks_master.doctor import LOOKS, Finding, Level, Patient, admit, examine
from fks_master.doctor.finding import fine

ONE = '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that is in use, by a program that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        one.settimeout(0)
        yield one.getsockname()[1]


def written(text: str) -> Path:
    path = Path("monitor.toml")
    path.write_text(text)
    return path


async def findings(about: str, text: str = ONE, /, **environ: str) -> list[Finding]:
    patient = admit(written(text), environ)
    return [finding async for finding in examine(patient, {about: LOOKS[about]})]


async def only(about: str, text: str = ONE, /, **environ: str) -> Finding:
    (found,) = await findings(about, text, **environ)
    assert found.about == about
    assert (found.advice is None) == (found.level is Level.OK)
    return found


async def test_every_mistake_of_the_config_is_a_finding() -> None:
    found = await findings("config", '[monitorin]\n[[services]]\nid = "a b"\n')
    assert {one.level for one in found} == {Level.ERROR}
    assert len(found) >= 2
    assert any("monitorin" in one.message for one in found)


async def test_a_config_that_watches_nothing_or_is_not_there_is_worth_a_thought() -> None:
    assert (await only("config", "[discovery]\nenabled = false\n")).level is Level.WARNING
    assert (await only("config")).level is Level.OK
    (found,) = [one async for one in examine(admit(None, {}), {"config": LOOKS["config"]})]
    assert "built-in" in found.message


async def test_mistakes_of_the_environment_are_findings() -> None:
    assert "FKS_MASTER_PORT" in (await only("environment", FKS_MASTER_PORT="many")).message
    assert (await only("environment")).level is Level.OK


async def test_a_variable_that_nobody_reads_is_told_if_it_looks_like_one() -> None:
    found = await only("environment", FKS_MONITR_API_KEY="secret", FKS_BILLING_TEAM="x")
    assert found.message == 'FKS_MONITR_API_KEY is read by nobody; did you mean "FKS_MONITOR_API_KEY"?'
    assert found.level is Level.WARNING


async def test_services_that_alerts_name_and_nobody_watches_are_worth_a_thought() -> None:
    text = ONE + '[[alerts.routes]]\nreceivers = []\nservices = ["one", "oen"]\n'
    found = await findings("config", text)
    assert [each.message for each in found[1:]] == ["alerts.routes[0].services: the config has no service oen"]


async def test_localhost_in_a_container_is_worth_a_thought(monkeypatch: pytest.MonkeyPatch) -> None:
    text = ONE + '[[services]]\nid = "near"\nhealth_endpoint = "http://localhost:8000/health"\n'
    assert len(await findings("config", text)) == 1
    monkeypatch.setattr("fks_master.doctor.names.find_our_id", lambda: "0" * 64)
    for is_bridged, expected in ((False, 1), (True, 2)):
        monkeypatch.setattr("fks_master.doctor.names.has_own_network", lambda is_bridged=is_bridged: is_bridged)
        assert len(await findings("config", text)) == expected
    found = (await findings("config", text))[1:]
    assert [each.message for each in found] == ["one, near: asked at localhost, which is this container itself"]


@pytest.mark.parametrize(
    ("text", "environ", "level"),
    [
        (ONE, {}, Level.OK),
        (ONE, {"FKS_MASTER_HOST": "0.0.0.0"}, Level.WARNING),
        (ONE, {"FKS_MASTER_HOST": "ops.example"}, Level.WARNING),
        (ONE, {"FKS_MASTER_HOST": "0.0.0.0", "FKS_MONITOR_API_KEY": "k"}, Level.OK),
        (f"[control]\nenabled = false\n{ONE}", {"FKS_MASTER_HOST": "0.0.0.0"}, Level.OK),
    ],
)
async def test_who_may_act_is_judged(text: str, environ: dict[str, str], level: Level) -> None:
    assert (await only("access", text, **environ)).level is level


async def test_a_port_is_free_or_another_programs(listener: int) -> None:
    found = await only("port", FKS_MASTER_PORT=str(listener))
    assert (found.level, "in use" in found.message) == (Level.ERROR, True)
    assert (await only("port", FKS_MASTER_PORT="0")).level is Level.OK


async def test_a_port_where_we_run_already_is_fine(here: Path) -> None:
    (here / "own.toml").write_text(ONE)
    with monitor("--config", str(here / "own.toml")) as one:
        found = await only("port", FKS_MASTER_PORT=one.address.rpartition(":")[2])
    assert (found.level, "already" in found.message) == (Level.OK, True)


async def test_a_certificate_is_told_its_age(here: Path) -> None:
    for days, level in ((90, Level.OK), (3, Level.WARNING)):
        (here / str(days)).mkdir()
        certificate, key = make_certificate(here / str(days), days)
        found = await only("tls", FKS_TLS_CERT=str(certificate), FKS_TLS_KEY=str(key))
        assert found.level is level, found
    key.chmod(0o644)
    found, loose = await findings("tls", FKS_TLS_CERT=str(certificate), FKS_TLS_KEY=str(key))
    assert "everybody" in loose.message


class LaterClock(SystemClock):
    def now(self) -> datetime:
        return super().now() + timedelta(days=100)


async def test_an_expired_certificate_is_in_the_way(here: Path) -> None:
    certificate, key = make_certificate(here, 90)
    patient = admit(None, {"FKS_TLS_CERT": str(certificate), "FKS_TLS_KEY": str(key)})
    later = msgspec.structs.replace(patient, clock=LaterClock())
    (found,) = [one async for one in examine(later, {"tls": LOOKS["tls"]})]
    assert (found.level, "expired" in found.message) == (Level.ERROR, True)


async def test_tls_that_cannot_work_is_in_the_way() -> None:
    for environ in (
        {"FKS_TLS_CERT": "none.pem", "FKS_TLS_KEY": "none.pem"},
        {"FKS_TLS_CERT": "none.pem"},
        {"FKS_TLS_REQUIRED": "1"},
    ):
        assert (await only("tls", ONE, **environ)).level is Level.ERROR
    assert (await only("tls")).level is Level.OK


async def test_docker_that_is_not_there_is_told_with_what_still_works(here: Path) -> None:
    found = await only("docker", DOCKER_HOST=f"unix://{here}/none.sock")
    assert found.level is Level.WARNING
    assert "checks and alerts work" in str(found.advice)
    (here / "folder").mkdir()
    assert "what Docker makes of a missing mount" in str(
        (await only("docker", DOCKER_HOST=f"unix://{here}/folder")).advice
    )


async def test_a_socket_at_which_nobody_answers_is_in_the_way(here: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(here / "docker.sock"))
    assert (await only("docker", DOCKER_HOST=f"unix://{here}/docker.sock")).level is Level.ERROR


AS_NOBODY = """
import os, sys
from fks_master.doctor import container
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
print(container._look_at_socket(sys.argv[1]).advice)
"""


@pytest.mark.skipif(os.geteuid() != 0 and not os.environ.get("CI"), reason="only root may become another user")
def test_a_socket_without_rights_is_told_with_the_group_to_take() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as one:
        Path(folder).chmod(0o755)
        path = Path(folder, "docker.sock")
        one.bind(str(path))
        path.chmod(0o660)
        command = [sys.executable, "-c", AS_NOBODY, f"unix://{path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert "usermod -aG root USER" in done.stdout


async def test_a_container_that_nobody_runs_is_missed(docker: Engine) -> None:
    docker.docker("run", "-d", "--network", "none", "--name", "there", "fks/box")
    text = ONE + 'docker_container = "there"\n[[services]]\nid = "two"\nhealth_endpoint = "tcp://a:1"\n'
    found = await findings("docker", text + 'docker_container = "gone"\n', DOCKER_HOST=docker.host)
    assert [one.level for one in found] == [Level.OK, Level.WARNING]
    assert "gone" in found[1].message
    assert "there" not in found[1].message


async def test_compose_is_asked_for_its_version(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version, level in (("2.26.1", Level.OK), ("1.29.2", Level.WARNING)):
        (here / "docker").write_text(f"#!/bin/sh\necho {version}\n")
        (here / "docker").chmod(0o755)
        monkeypatch.setenv("PATH", f"{here}:/usr/bin:/bin")
        found = await only("compose")
        assert (found.level, version[:4] in found.message) == (level, True)


async def test_folders_of_compose_files_are_there_and_not_everybodys(here: Path) -> None:
    (here / "open").mkdir()
    (here / "open").chmod(0o777)
    found = await findings("compose", f'[compose]\nroots = ["open", "gone"]\n{ONE}')
    assert [one.level for one in found[1:]] == [Level.ERROR, Level.ERROR]


async def test_the_history_is_looked_at(here: Path) -> None:
    assert "begins there" in (await only("database")).message
    (here / "data").mkdir()
    with sqlite3.connect("data/fks_master.db") as connection:
        connection.execute("CREATE TABLE a (b)")
    connection.close()
    os.chmod("data/fks_master.db", 0o600)  # noqa: PTH101
    assert (await only("database")).level is Level.OK
    os.chmod("data/fks_master.db", 0o644)  # noqa: PTH101
    assert [one.level for one in await findings("database")] == [Level.WARNING, Level.OK]
    os.chmod("data/fks_master.db", 0o600)  # noqa: PTH101
    (here / "data" / "fks_master.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    assert (await only("database")).level is Level.ERROR
    assert (await only("database", f"[history]\nenabled = false\n{ONE}")).level is Level.WARNING
    assert (await only("database", f'[history]\nurl = "sqlite::memory:"\n{ONE}')).level is Level.WARNING


@pytest.fixture
def server() -> Iterator[Cluster]:
    with cluster() as one:
        yield one


async def test_a_database_server_is_asked_and_changed_in_nothing(server: Cluster) -> None:
    text = f'[history]\nurl = "{server.url}"\n{ONE}'
    assert (await only("database", text)).level is Level.OK
    server.stop()
    found = await only("database", text)
    assert (found.level, server.url in found.message) == (Level.ERROR, False)


async def test_a_full_disk_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await only("disk")).level is Level.OK
    for free, level in ((int(5e8), Level.WARNING), (int(5e7), Level.ERROR)):
        usage = shutil._ntuple_diskusage(int(1e12), 0, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert (await only("disk")).level is level


async def test_receivers_are_reached_and_told_nothing() -> None:
    asked = asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read():
            asked.set()
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = await only("receivers", f'[alerts]\nwebhook_url = "http://127.0.0.1:{port}/canary"\n{ONE}')
    assert found.level is Level.OK
    assert "canary" not in found.message
    assert not asked.is_set()
    server.close()


async def test_receivers_that_cannot_be_reached_are_in_the_way() -> None:
    for address in ("http://127.0.0.1:1/canary", "http://nobody.invalid/canary"):
        found = await only("receivers", f'[alerts]\nwebhook_url = "{address}"\n{ONE}')
        assert (found.level, "canary" in found.message) == (Level.ERROR, False)
        assert "Connect call" not in found.message
    found = await findings("receivers", f'[alerts]\nheartbeat_url = "http://127.0.0.1:1/canary"\n{ONE}')
    assert [one.level for one in found] == [Level.WARNING, Level.ERROR]
    assert "canary" not in found[1].message
    assert "nobody is told" in (await only("receivers")).message
    assert (await only("receivers", f"[alerts]\nenable_notifications = false\n{ONE}")).level is Level.WARNING


@pytest.mark.parametrize(("answer", "level"), [("yes", Level.OK), ("no", Level.WARNING)])
async def test_a_clock_that_nobody_keeps_is_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, answer: str, level: Level
) -> None:
    (here / "timedatectl").write_text(f"#!/bin/sh\necho {answer}\n")
    (here / "timedatectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{here}:/usr/bin:/bin")
    assert (await only("clock")).level is level


async def test_limits_are_told() -> None:
    assert (await only("limits")).level is Level.OK


UNIT = "LoadState=loaded\nActiveState={}\nUnitFileState={}\nType={}\nWatchdogUSec={}"


@pytest.mark.parametrize(
    ("answer", "levels"),
    [
        ("LoadState=not-found", [Level.OK]),
        (UNIT.format("active", "enabled", "notify", "1min"), [Level.OK]),
        (UNIT.format("active", "disabled", "notify", "1min"), [Level.WARNING, Level.OK]),
        (UNIT.format("failed", "enabled", "simple", "0"), [Level.ERROR, Level.WARNING]),
    ],
)
async def test_the_unit_of_systemd_is_judged(
    here: Path, monkeypatch: pytest.MonkeyPatch, answer: str, levels: list[Level]
) -> None:
    (here / "systemctl").write_text(f"#!/bin/sh\ncat <<END\n{answer}\nEND\n")
    (here / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{here}:/usr/bin:/bin")
    assert [one.level for one in await findings("systemd")] == levels


async def test_a_look_that_hangs_or_fails_hides_no_other() -> None:
    async def hang(_: Patient) -> AsyncIterator[Finding]:
        await asyncio.Event().wait()
        yield fine("hang", "never")

    async def fail(_: Patient) -> AsyncIterator[Finding]:
        raise ZeroDivisionError
        yield fine("fail", "never")

    async def well(_: Patient) -> AsyncIterator[Finding]:
        yield fine("well", "is well")

    looks = {"hang": hang, "fail": fail, "well": well}
    found = [one async for one in examine(admit(None, {}), looks, seconds=0.05)]
    assert [(one.about, one.level) for one in found] == [
        ("hang", Level.ERROR),
        ("fail", Level.ERROR),
        ("well", Level.OK),
    ]


@pytest.mark.parametrize(("text", "code"), [(ONE, 0), ("[monitorin]\n", 1)])
def test_the_command_says_it_for_people_and_programs(here: Path, text: str, code: int) -> None:
    (here / "monitor.toml").write_text(text)
    command = [sys.executable, "-m", "fks_master", "doctor", "--config", "monitor.toml", "--port", "0"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FKS_", "DOCKER_", "OTEL_"))}

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *options], capture_output=True, text=True, timeout=60, check=False, env=clean)

    said = run()
    assert said.returncode == code, said.stderr
    assert "→" in said.stdout
    found = json.loads(run("--json").stdout)["findings"]
    assert {one["about"] for one in found} >= {"config", "environment", "clock"}
    assert ("error" in {one["level"] for one in found}) == bool(code)

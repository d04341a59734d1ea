"""R18: the config is reloaded a hundred times under load, often broken."""

import asyncio
import random
import signal
import time
from collections import Counter
from pathlib import Path

from tests.process import PATIENCE, Monitor, monitor, wait_for
from tests.servers import answer, listening

INTERVAL = 0.25
RELOADS = 100
HEAD = "[monitoring]\ncheck_interval_seconds = {interval}\ntimeout_seconds = 2\nbatch_size = 20\nretry_attempts = 2\n"
BROKEN = ("[monitoring\n", "[monitoring]\nbatch_size = 0\n", "x = 1\n", "\xff\0", '[[services]]\nid = "one"\n')


class Targets:
    """Answers every path but those that begin with `hang`, and keeps a ledger of what was asked when."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, str]] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        name = head.split(b" ")[1].decode().strip("/")
        self.asked.append((time.monotonic(), name))
        if name.startswith("hang"):
            await reader.read()
        writer.write(answer("500 No" if name.startswith("bad") else "200 OK"))
        await writer.drain()

    def since(self, moment: float) -> Counter[str]:
        return Counter(name for at, name in self.asked if at >= moment)


class Plan:
    """Which services there are: at every step some are renamed, some go, some come, some are judged otherwise."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._random = random.Random(18)  # noqa: S311
        self._made = 0
        self.names = [
            "bad",
            "steady",
            *(self._fresh("s") for _ in range(60)),
            *(self._fresh("hang") for _ in range(10)),
        ]

    def _fresh(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}{self._made}"

    def change(self) -> None:
        passing = self.names[2:]
        for old in self._random.sample(passing, 6):
            self.names.remove(old)
        for _ in range(self._random.randint(4, 8)):
            self.names.append(self._fresh("hang" if self._random.random() < 0.15 else "s"))

    def text(self) -> str:
        threshold = self._random.randint(2, 9)
        services = "".join(
            f'[[services]]\nid = "{name}"\nhealth_endpoint = "http://127.0.0.1:{self._port}/{name}"\n'
            f"expected_response_time_ms = {self._random.randint(4000, 5000) if name.startswith('s') else 1000}\n"
            for name in self.names
        )
        return f"{HEAD.format(interval=INTERVAL)}[alerts]\nconsecutive_failures_threshold = {threshold}\n{services}"


def ids(one: Monitor) -> list[str]:
    return [each["id"] for each in one.get("/api/services")]


def reload(one: Monitor, path: Path, plan: Plan, number: int) -> None:
    """Write the next config, right or broken, and wait until it is taken up or refused."""
    if number % 5 == 4:
        path.write_text(BROKEN[number // 5 % len(BROKEN)], encoding="latin-1")
        refused = one.log.count("config_rejected")
        one.process.send_signal(signal.SIGHUP)
        wait_for(lambda: one.log.count("config_rejected") > refused)
    else:
        plan.change()
        path.write_text(plan.text())
        one.process.send_signal(signal.SIGHUP)
        wait_for(lambda: ids(one) == plan.names)


async def test_a_hundred_reloads_leave_no_zombie_and_no_duplicate_and_the_last_good_config(tmp_path: Path) -> None:
    targets, path = Targets(), tmp_path / "monitor.toml"
    async with listening(targets.handle, backlog=1000) as port:
        plan = Plan(port)
        path.write_text(plan.text())
        await asyncio.to_thread(drive, targets, plan, path)


def drive(targets: Targets, plan: Plan, path: Path) -> None:
    with monitor("--config", str(path)) as one:
        wait_for(lambda: one.status("bad") == "Unhealthy")
        for number in range(RELOADS):
            reload(one, path, plan, number)
        assert ids(one) == plan.names, "after a broken file the last good one stays"
        settled = time.monotonic() + 1
        lively = [name for name in plan.names if not name.startswith("hang")]
        wait_for(lambda: all(targets.since(settled)[name] >= 8 for name in lively), 60)
        seen, seconds = targets.since(settled), time.monotonic() - settled
        assert seen.keys() <= set(plan.names), "nobody asks for what is gone"
        assert max(seen[name] for name in lively if name != "bad") <= seconds / INTERVAL + 2, "nobody is asked twice"
        assert seen["bad"] <= 2 * (seconds / INTERVAL + 2)
        scraped = one.request("/metrics")[2].decode()
        assert scraped.count("fks_service_health_status{") == len(plan.names)
        told = [each for each in one.get("/api/events?limit=1000")["events"] if each["event_type"] == "ServiceDown"]
        assert {each["service_id"] for each in told if not each["service_id"].startswith("hang")} == {"bad"}
        assert [each["service_id"] for each in told].count("bad") == 1, "a changed threshold tells nothing again"
        assert "Traceback" not in one.log
        assert one.stop() == 0


def test_a_file_that_vanishes_or_is_half_written_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config" / "monitor.toml"
    path.parent.mkdir()
    text = '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n'
    path.write_text(text)
    with monitor(folder=tmp_path) as one:  # the default path: without it, the built-in services would be watched
        assert ids(one) == ["one"]
        path.unlink()
        wait_for(lambda: "config_rejected" in one.log)
        path.write_text(text + "[[services]]\nid = ")
        wait_for(lambda: one.log.count("config_rejected") == 2)
        assert ids(one) == ["one"]
        path.write_text(text + text.replace("one", "two"))
        wait_for(lambda: ids(one) == ["one", "two"], PATIENCE)


def test_what_is_gone_from_the_config_leaves_no_incident_and_no_alert_open(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    text = (
        '[[services]]\nid = "{}"\nhealth_endpoint = "http://127.0.0.1:1/"\nretry_attempts = 1\ninterval_seconds = 0.2\n'
    )
    path.write_text(text.format("one") + text.format("two"))
    with monitor("--config", str(path)) as one:

        def open_ones() -> tuple[set[str], set[str]]:
            incidents = one.get("/api/incidents?state=open")["incidents"]
            return {each["service_id"] for each in incidents}, {each["service_id"] for each in one.get("/api/alerts")}

        wait_for(lambda: open_ones() == ({"one", "two"}, {"one", "two"}))
        path.write_text(text.format("one"))
        one.process.send_signal(signal.SIGHUP)
        wait_for(lambda: open_ones() == ({"one"}, {"one"}))

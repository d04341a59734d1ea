from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from fks_master.api.routes.compose import Result
from fks_master.api.routes.jobs import JobLine, Output
from fks_master.control.compose import Preparer
from fks_master.control.jobs.job import Job
from fks_master.docker.compose import plan
from fks_master.docker.compose.cli import ComposeCli, Member, Model, ServiceModel, explain, read_ps
from fks_master.docker.compose.files import Roots
from fks_master.docker.compose.plan import Known, Present, Step
from fks_master.docker.compose.request import Action, Body, Request
from fks_master.docker.ourselves import Ourselves, find_our_id, has_own_network
from fks_master.errors import ComposeRefusedError

OURS = "a" * 64


class StandIn(ComposeCli):
    """Answers as a project would that we are part of, brought up from `folder`."""

    folder = ""
    needs: Mapping[str, str] = {}

    async def version(self) -> tuple[int, int]:
        return 2, 26

    async def model(self, *_: object) -> Model:
        return Model("fks", {"fks_master": ServiceModel("m"), "fks_api": ServiceModel("a")})

    async def members(self, project: str) -> list[Member]:
        assert project == "fks"
        ids = {"fks_master": OURS, "fks_api": "b" * 64, "fks_web": "c" * 64}
        return [
            Member(id_, f"fks-{name}-1", name, "False", "", self.folder, self.needs.get(name, ""))
            for name, id_ in ids.items()
        ]


@pytest.fixture
def preparer(tmp_path: Path) -> Preparer:
    (tmp_path / "compose.yaml").write_text("services: {}")
    cli = StandIn({})
    cli.folder = str(tmp_path)
    return Preparer(cli, Roots([tmp_path]), Ourselves(OURS))


@pytest.mark.parametrize("action", [Action.STOP, Action.RESTART, Action.DOWN, Action.LOGS, Action.PS])
@pytest.mark.parametrize("folder", ["/elsewhere", "", "{}-next-door"])
async def test_a_project_of_another_place_is_nobodys_business(tmp_path: Path, action: Action, folder: str) -> None:
    cli = StandIn({})
    cli.folder = folder.format(tmp_path)
    with pytest.raises(ComposeRefusedError, match="not below the configured"):
        await Preparer(cli, Roots([tmp_path])).prepare(Request(action=action, project="fks", services=("fks_api",)))


async def test_bringing_up_who_depends_on_us_is_bringing_us_up(preparer: Preparer) -> None:
    model = Model("fks", {"a": ServiceModel(depends_on={"b": {}}), "b": ServiceModel(depends_on=["fks_master"])})
    with_us = Model("fks", {**model.services, "fks_master": ServiceModel("m"), "c": ServiceModel("c")})
    assert with_us.reach_of(["a"]) == {"a", "b", "fks_master"}
    assert with_us.reach_of(["c"]) == {"c"}
    assert with_us.reach_of([]) == {"a", "b", "c", "fks_master"}


@pytest.mark.parametrize("action", [Action.STOP, Action.RESTART, Action.DOWN, Action.UP])
@pytest.mark.parametrize("services", [(), ("fks_master",), ("fks_api", "fks_master")])
async def test_we_never_stop_ourselves(preparer: Preparer, action: Action, services: tuple[str, ...]) -> None:
    with pytest.raises(ComposeRefusedError, match="of service fks_master: that is FKS Master itself"):
        await preparer.prepare(Request(action=action, services=services, project="fks"))


@pytest.mark.parametrize("action", [Action.STOP, Action.RESTART, Action.UP, Action.PS])
async def test_others_of_our_project_are_fair_game(preparer: Preparer, action: Action) -> None:
    prepared = await preparer.prepare(Request(action=action, services=("fks_api",), project="fks"))
    assert prepared.project.name == "fks"
    assert bool(prepared.project.files) is action.needs_file


@pytest.mark.parametrize(
    ("action", "needs", "is_ours"),
    [
        (Action.DOWN, "fks_api:service_started:false", True),
        (Action.DOWN, "fks_web:service_started:false", True),
        (Action.RESTART, "fks_api:service_healthy:true", True),
        (Action.RESTART, "fks_web:service_healthy:true", True),
        (Action.RESTART, "fks_api:service_started:false", False),
        (Action.UP, "fks_api:service_started:true", False),  # its file says otherwise now
        (Action.STOP, "fks_api:service_started:true", False),
        (Action.START, "fks_api:service_started:true", False),
    ],
)
async def test_what_takes_us_with_it_is_refused_like_ourselves(
    tmp_path: Path, action: Action, needs: str, *, is_ours: bool
) -> None:
    (tmp_path / "compose.yaml").write_text("services: {}")
    cli = StandIn({})
    cli.folder = str(tmp_path)
    cli.needs = {"fks_master": needs, "fks_web": "fks_api:service_started:true"}
    preparer = Preparer(cli, Roots([tmp_path]), Ourselves(OURS))
    request = Request(action=action, services=("fks_api",), project="fks")
    if is_ours:
        with pytest.raises(ComposeRefusedError, match=r"takes with it fks_master, .* FKS Master itself"):
            await preparer.prepare(request)
    else:
        assert (await preparer.prepare(request)).project.name == "fks"


async def test_bringing_up_is_held_against_what_the_file_says_now(tmp_path: Path) -> None:
    class Changed(StandIn):
        async def model(self, *_: object) -> Model:
            ours = ServiceModel("m", depends_on={"fks_api": {"condition": "service_started", "restart": True}})
            return Model("fks", {"fks_master": ours, "fks_api": ServiceModel("a")})

    (tmp_path / "compose.yaml").write_text("services: {}")
    cli = Changed({})
    cli.folder = str(tmp_path)
    with pytest.raises(ComposeRefusedError, match="takes with it fks_master"):
        await Preparer(cli, Roots([tmp_path]), Ourselves(OURS)).prepare(
            Request(action=Action.UP, services=("fks_api",), project="fks")
        )


@pytest.mark.parametrize("action", [Action.RESTART, Action.START])
async def test_a_project_that_is_not_there_is_no_silent_success(tmp_path: Path, action: Action) -> None:
    class Empty(StandIn):
        async def members(self, project: str) -> list[Member]:
            return []

    with pytest.raises(ComposeRefusedError, match="project ghost has no containers; bring it up first"):
        await Preparer(Empty({}), Roots([tmp_path])).prepare(Request(action=action, project="ghost"))


def test_every_shape_can_be_described() -> None:
    assert msgspec.json.schema_components([Result, JobLine, Output, Job, Body])


def test_our_id_is_read_from_our_mounts(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 2 0:1 /var/lib/docker/containers/{OURS}/hostname /etc/hostname rw - ext4 /dev/x rw\n")
    assert find_our_id(str(mounts)) == OURS
    mounts.write_text("1 2 0:1 / / rw - ext4 /dev/x rw\n")
    assert find_our_id(str(mounts)) is None
    assert find_our_id(str(tmp_path / "none")) is None


@pytest.mark.parametrize(
    ("links", "is_own"),
    [({}, False), ({"eth0": (7, 8)}, True), ({"eth0": (2, 2)}, False), ({"docker0": (3, 3), "veth1": (7, 8)}, False)],
)
def test_a_network_of_our_own_is_told_from_the_hosts(
    tmp_path: Path, links: dict[str, tuple[int, int]], *, is_own: bool
) -> None:
    for name, (own, other) in {"lo": (1, 1), **links}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "ifindex").write_text(f"{own}\n")
        (tmp_path / name / "iflink").write_text(f"{other}\n")
    assert has_own_network(str(tmp_path)) is is_own
    assert has_own_network(str(tmp_path / "none")) is False


@pytest.mark.parametrize(
    ("complaint", "said"),
    [
        ("error while interpolating services.a: required variable TOKEN is missing a value: x", "not set: TOKEN"),
        ("yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `hunter2...` into cli.named", "line 1"),
        ("yaml: line 7: did not find expected key", "line 7"),
        ('service "a" depends on undefined service "b": invalid compose project', 'depends on undefined service "b"'),
        ("Invalid containerPort: hunter2", "Compose cannot read the file"),
    ],
)
def test_a_complaint_is_told_without_quoting_the_file(complaint: str, said: str) -> None:
    told = explain(complaint)
    assert said in told
    assert "hunter2" not in told


def test_both_forms_of_ps_are_read() -> None:
    rows = [{"Name": "a", "State": "exited", "ExitCode": 0}, {"Name": "b", "State": "exited", "ExitCode": 1}]
    array = msgspec.json.encode(rows).decode()
    lines = "\n".join(msgspec.json.encode(row).decode() for row in rows)
    assert read_ps(array) == read_ps(lines)
    assert [row.state for row in read_ps(lines)] == ["complete", "exited"]
    assert read_ps("") == read_ps("nonsense") == []


def test_a_dry_run_is_read_as_steps() -> None:
    told = """
 DRY-RUN MODE -  Network shop_default  Creating
 DRY-RUN MODE -  Network shop_default  Created
 DRY-RUN MODE -  Container shop-db-1  Recreate
 DRY-RUN MODE -  Container shop-db-1  Recreated
 DRY-RUN MODE -  Container d508f5727e2e_shop-db-1  Starting
 DRY-RUN MODE -  Container shop-once-1  Starting
 DRY-RUN MODE -  Container shop-web-1  Running
"""
    assert plan.read(told) == [
        Step("create", "network", "shop_default"),
        Step("recreate", "container", "shop-db-1"),
        Step("start", "container", "shop-once-1"),
    ]
    assert plan.as_text([]) == "Nothing would change.\n"


def test_a_plan_says_why_where_that_can_be_told() -> None:
    present = {
        one.name: one
        for one in (
            Present("shop-db-1", "db", "running", "old", "i1"),
            Present("shop-web-1", "web", "running", "same", "i1"),
            Present("shop-both-1", "both", "running", "old", "i1"),
            Present("shop-odd-1", "odd", "running", "same", "i2"),
            Present("shop-once-1", "once", "exited"),
        )
    }
    known = Known(
        present,
        {"db": "new", "web": "same", "both": "new", "odd": "same"},
        {"db": "i1", "web": "i2", "both": "i2", "odd": "i2"},
        {"db": None, "web": "db"},
    )
    names = ("db", "web", "both", "odd")
    steps = [Step("recreate", "container", f"shop-{name}-1") for name in names]
    steps += [Step("start", "container", "shop-once-1"), Step("remove", "container", "shop-web-1")]
    steps += [Step("remove", "container", "shop-db-1"), Step("create", "container", "shop-far-1")]
    explained = plan.explained([*steps, Step("create", "network", "shop_default")], known)
    assert [one.because for one in explained] == [
        "its configuration changed",
        "its image changed",
        "its configuration and its image changed",
        None,
        "it is exited",
        "it depends on db",
        None,
        "it is not there yet",
        "it is not there yet",
    ]
    assert plan.as_text(explained[:1]) == "recreate container shop-db-1: its configuration changed\n"

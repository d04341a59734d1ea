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
from fks_master.docker.compose.plan import Step
from fks_master.docker.compose.request import Action, Body, Request
from fks_master.docker.ourselves import Ourselves, find_our_id
from fks_master.errors import ComposeRefusedError

OURS = "a" * 64


class StandIn(ComposeCli):
    """Answers as a project would that we are part of, brought up from `folder`."""

    folder = ""

    async def version(self) -> tuple[int, int]:
        return 2, 26

    async def model(self, *_: object) -> Model:
        return Model("fks", {"fks_master": ServiceModel("m"), "fks_api": ServiceModel("a")})

    async def members(self, project: str) -> list[Member]:
        assert project == "fks"
        return [
            Member(OURS, "fks-fks_master-1", "fks_master", "False", "", self.folder),
            Member("b" * 64, "fks-fks_api-1", "fks_api", "False", "", self.folder),
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

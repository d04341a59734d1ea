"""Who is watched, from the configuration and from labels."""

from collections.abc import Mapping

import pytest

from fks_master.control.roster import Given, Place, Roster, roster
from fks_master.docker.container import Attachment, Container
from fks_master.docker.labels import read_endpoint
from fks_master.model import Service, ServiceType
from fks_master.testing import a_container, a_service

PATTERN = a_service("pattern", health_endpoint="http://pattern", interval_seconds=5.0)
KNOWN = {"fks_api": a_service("fks_api", name="FKS API", service_type=ServiceType.API, critical=True)}
INSIDE = Place(is_inside=True, is_on_host_network=False, networks=frozenset({"fks"}))
FKS = {"fks": Attachment("172.18.0.2", ("alias",))}


def composed(service: str, project: str = "fks", number: int = 1, **said: object) -> Container:
    labels = {
        "com.docker.compose.project": project,
        "com.docker.compose.service": service,
        "com.docker.compose.container-number": str(number),
        **said.pop("labels", {}),  # type: ignore[dict-item]
    }
    given = {"name": f"{project}-{service}-{number}", "is_on_host_network": True, **said}
    return a_container(labels=labels, **given)


def drawn(
    *containers: Container, services: tuple[Service, ...] = (), place: Place | None = None, **more: object
) -> Roster:
    before: Mapping[str, Service] = more.pop("before", {})  # type: ignore[assignment]
    return roster(Given(services, PATTERN, KNOWN), containers, place or Place(), before, **more)  # type: ignore[arg-type]


def only(found: Roster) -> Service:
    (one,) = found.services
    return one


def test_labels_make_a_service() -> None:
    labels = {"fks.health": "8000/up", "fks.type": "worker", "fks.critical": "true", "fks.name": "The Worker"}
    one = only(drawn(composed("work", labels=labels)))
    assert (one.id, one.name, one.service_type, one.critical) == ("work", "The Worker", ServiceType.WORKER, True)
    assert (one.health_endpoint, one.docker_container) == ("http://127.0.0.1:8000/up", "fks-work-1")
    assert (one.interval_seconds, one.group, one.is_discovered) == (5.0, "fks", True)


def test_without_a_label_only_known_services_appear() -> None:
    found = drawn(composed("fks_api"), composed("other"), a_container("stray"))
    one = only(found)
    assert (one.id, one.name, one.critical) == ("fks_api", "FKS API", True)
    assert one.health_endpoint == "http://127.0.0.1:8000/health"
    assert drawn(composed("fks_api", labels={"fks.health": "none"})).services == ()
    assert drawn(composed("fks_api"), finds_others=False).services == ()


@pytest.mark.parametrize(
    ("place", "said", "address"),
    [
        (INSIDE, {"networks": FKS}, "http://fks-a-1:8000/h"),
        (INSIDE, {"networks": {"other": Attachment("172.19.0.2")}}, "http://172.19.0.2:8000/h"),
        (Place(), {"networks": FKS}, "http://172.18.0.2:8000/h"),
        (Place(), {"networks": FKS, "ports": {8000: ("0.0.0.0", 18000)}}, "http://127.0.0.1:18000/h"),
        (Place(), {"networks": FKS, "ports": {8000: ("10.0.0.1", 18000)}}, "http://10.0.0.1:18000/h"),
        (Place(), {"networks": {"n": Attachment("fd00::2")}}, "http://[fd00::2]:8000/h"),
    ],
)
def test_a_container_is_asked_where_it_can_be_reached(place: Place, said: dict[str, object], address: str) -> None:
    container = composed("a", labels={"fks.health": "8000/h"}, is_on_host_network=False, **said)
    assert only(drawn(container, place=place)).health_endpoint == address


def test_one_that_cannot_be_reached_says_why_and_one_that_was_keeps_its_address() -> None:
    stopped = composed("a", labels={"fks.health": "8000"}, is_on_host_network=False, state="exited")
    assert drawn(stopped).refused == {"fks-a-1": "it has no address that can be reached from here"}
    before = {"a": a_service("a", health_endpoint="http://172.18.0.2:8000/", docker_container="fks-a-1")}
    assert only(drawn(stopped, before=before)).health_endpoint == "http://172.18.0.2:8000/"


@pytest.mark.parametrize(
    "label",
    [
        "http://169.254.169.254/latest",
        "http://other:8000/health",
        "http://user:pw@127.0.0.1:8000/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/",
        "8000/a b",
        "8000/\n",
        "99999/health",
        "0/health",
        "-1",
        "tcp://127.0.0.1",
        "http://[::1",
        "8000/" + "a" * 400,
        "\uff18000/health",
        "docker://x",
        "",
    ],
)
def test_a_label_that_means_another_host_or_nothing_is_refused(label: str) -> None:
    found = drawn(composed("evil", labels={"fks.health": label}))
    assert found.services == ()
    assert "fks.health" in found.refused["fks-evil-1"]


@pytest.mark.parametrize(
    "label", ["http://fks-a-1:8000/h?x=1", "http://localhost:8000/h?x=1", ":8000/h?x=1", "8000/h?x=1"]
)
def test_the_container_may_be_named_in_many_ways(label: str) -> None:
    endpoint = read_endpoint(label, composed("a"))
    assert endpoint is not None
    assert (endpoint.scheme, endpoint.port, endpoint.path) == ("http", 8000, "/h?x=1")


def test_a_container_without_a_port_is_judged_by_docker() -> None:
    assert only(drawn(composed("a", labels={"fks.health": "docker"}))).health_endpoint == "docker://fks-a-1"


def test_names_that_mislead_are_not_taken() -> None:
    labels = {"fks.health": "8000", "fks.name": "a\x1b[2Jb", "fks.type": "nonsense", "fks.critical": "maybe"}
    one = only(drawn(composed("a", labels=labels)))
    assert (one.name, one.service_type, one.critical) == ("a", ServiceType.OTHER, False)
    odd = a_container("ok", labels={"fks.health": "1", "com.docker.compose.service": "../x"}, is_on_host_network=True)
    assert only(drawn(odd)).id == "ok"


def test_the_configuration_wins_and_its_container_is_found() -> None:
    configured = a_service("fks_api", docker_container="fks_api")
    found = drawn(composed("fks_api", labels={"fks.health": "1/", "fks.critical": "true"}), services=(configured,))
    one = only(found)
    assert (one.docker_container, one.health_endpoint) == ("fks-fks_api-1", configured.health_endpoint)
    assert (one.critical, one.is_discovered) == (False, False)


def test_a_container_of_the_configured_name_beats_labels() -> None:
    configured = a_service("fks_api", docker_container="fks_api")
    other = composed("fks_api", project="evil")
    assert (
        only(drawn(a_container("fks_api"), other, services=(configured,), finds_others=False)).docker_container
        == "fks_api"
    )


def test_where_two_projects_fit_none_is_taken() -> None:
    configured = a_service("fks_api", docker_container="fks_api")
    two = (composed("fks_api"), composed("fks_api", project="other"))
    found = drawn(*two, services=(configured,), finds_others=False)
    assert only(found).docker_container == "fks_api"


def test_without_docker_container_the_address_must_be_the_containers() -> None:
    far = a_service("db", health_endpoint="tcp://db.example:5432")
    near = a_service("db", health_endpoint="tcp://db:5432")
    container = composed("db", is_on_host_network=False, networks={"fks": Attachment("172.18.0.9", ("db",))})
    assert only(drawn(container, services=(far,))).docker_container is None
    assert only(drawn(container, services=(near,))).docker_container == "fks-db-1"


def test_dependencies_of_compose_are_merged_without_a_circle() -> None:
    def needing(*names: str) -> dict[str, str]:
        needs = ",".join(f"{name}:service_started:false" for name in names)
        return {"fks.health": "1/", "com.docker.compose.depends_on": needs}

    configured = a_service("db", depends_on=("cache",), health_endpoint="tcp://127.0.0.1:1")
    cache = a_service("cache")
    containers = (
        composed("db", labels=needing("web")),
        composed("web", labels=needing("db", "nothing", "web")),
        composed("job", labels=needing("web"), project="other"),
    )
    needs = {one.id: one.depends_on for one in drawn(*containers, services=(configured, cache)).services}
    assert needs == {"db": ("cache", "web"), "cache": (), "web": (), "job": ()}


def test_replicas_runs_and_remakings() -> None:
    labels = {"fks.health": "8000"}
    first, second = composed("a", labels=labels), composed("a", number=2, labels=labels)
    run = composed("a", labels={**labels, "com.docker.compose.oneoff": "True"}, name="a_run_1", number=3)
    fresh = composed("a", labels=labels, name="abc_fks-a-1", state="created")
    assert [one.id for one in drawn(first, second, run, fresh).services] == ["a", "a-2"]
    other = composed("a", project="zoo", labels=labels)
    assert {one.id for one in drawn(first, other).services} == {"a", "zoo-a-1"}
    before = {"a": a_service("a", docker_container="zoo-a-1")}
    assert {one.id: one.docker_container for one in drawn(first, other, before=before).services} == {
        "a": "zoo-a-1",
        "fks-a-1": "fks-a-1",
    }

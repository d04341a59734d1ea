"""Who is watched: what the configuration names, with the containers that fit, and what containers say of themselves.

Pure: containers and services in, services out. The configuration always wins; a label adds, and changes nothing of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from fks_master.docker.container import Container
from fks_master.docker.labels import (
    HERE,
    Endpoint,
    is_oneoff,
    own_names,
    read_endpoint,
    read_id,
    read_name,
    read_needs,
    read_switch,
)
from fks_master.model import Service, ServiceType

MOST_FOUND = 500
MOST_LOOKED_AT = 5000
TYPES = {one.value.lower(): one for one in ServiceType}

replace = msgspec.structs.replace


class Place(msgspec.Struct, frozen=True):
    """Where we look from: which networks we share, if we are in a container ourselves."""

    is_inside: bool = False
    is_on_host_network: bool = True
    networks: frozenset[str] = frozenset()


class Roster(msgspec.Struct, frozen=True):
    """The services, and why containers that want to be watched are not, by the name of the container."""

    services: tuple[Service, ...]
    refused: Mapping[str, str] = {}


class Given(msgspec.Struct, frozen=True):
    """What the configuration says: its services, how others are checked, and services known by name."""

    services: tuple[Service, ...]
    pattern: Service
    known: Mapping[str, Service] = {}


def roster(
    given: Given,
    containers: Iterable[Container],
    place: Place,
    before: Mapping[str, Service],
    *,
    finds_others: bool = True,
) -> Roster:
    """Draw it up. `containers` are without ourselves; `before` are the services found the last time."""
    usable = _leaders(one for one in containers if not is_oneoff(one))
    matched = {service.id: one for service in given.services if (one := _match(service, usable)) is not None}
    taken = {one.id for one in matched.values()}
    configured = {one.id: _with_container(one, matched.get(one.id)) for one in given.services}
    rest = [one for one in usable if one.id not in taken] if finds_others else []
    found, refused = _find_others(given, rest, place, before)
    held = {**matched, **{id_: container for id_, (_, container) in found.items()}}
    services = {**configured, **{id_: service for id_, (service, _) in found.items()}}
    return Roster(_with_needs(services, held), refused)


def _leaders(containers: Iterable[Container]) -> list[Container]:
    """Of the containers that stand for one replica, as while Compose makes it anew, take the one that runs."""
    best: dict[tuple[str, ...], Container] = {}
    for one in sorted(containers, key=lambda each: (not each.is_running, each.name, each.id)):
        number = one.labels.get("com.docker.compose.container-number", "")
        key = (one.project, one.compose_service, number) if one.project and one.compose_service else (one.id,)
        best.setdefault(key, one)
    return sorted(best.values(), key=lambda each: (each.project, each.compose_service, each.name))


def _match(service: Service, containers: Sequence[Container]) -> Container | None:
    """Find the container of a configured service: by name, else by labels where exactly one project fits."""
    wanted = {service.docker_container, service.id} - {None}
    if named := next((one for one in containers if one.name == service.docker_container), None):
        return named
    fitting = [one for one in containers if _is_called(one, wanted, service)]
    if service.docker_container is None:
        fitting = [one for one in fitting if _answers_at(one, service.health_endpoint)]
    is_clear = len({one.project for one in fitting}) == 1
    return min(fitting, key=lambda one: (not one.is_running, len(one.name), one.name)) if is_clear else None


def _is_called(container: Container, wanted: Iterable[str | None], service: Service) -> bool:
    label = container.labels.get("fks.name", "")
    return container.compose_service in wanted or container.name == service.id or label in {*wanted, service.name}


def _answers_at(container: Container, endpoint: str) -> bool:
    """Whether an address is that of a container."""
    try:
        url = urlsplit(endpoint)
        host, port = url.hostname or "", url.port or {"https": 443}.get(url.scheme, 80)
    except ValueError:
        return False
    if host in HERE:
        return container.is_on_host_network or any(port == outside for _, outside in container.ports.values())
    return host in own_names(container)


def _with_container(service: Service, container: Container | None) -> Service:
    if container is None or container.name == service.docker_container:
        return service
    return replace(service, docker_container=container.name)


def _find_others(
    given: Given,
    containers: Sequence[Container],
    place: Place,
    before: Mapping[str, Service],
) -> tuple[dict[str, tuple[Service, Container]], dict[str, str]]:
    found: dict[str, tuple[Service, Container]] = {}
    refused: dict[str, str] = {}
    ids_before = {one.docker_container: id_ for id_, one in before.items()}
    taken = {one.id for one in given.services}
    for one in sorted(containers, key=lambda each: each.name not in ids_before)[:MOST_LOOKED_AT]:
        known = given.known.get(one.compose_service) or given.known.get(one.name)
        if "fks.health" not in one.labels and known is None:
            continue
        try:
            id_ = _free_id(one, ids_before.get(one.name), {*taken, *found})
            service = _service(one, id_, known or given.pattern, place, before.get(id_))
        except ValueError as error:
            refused[one.name] = str(error)
        else:
            if service and len(found) < MOST_FOUND:
                found[id_] = (service, one)
    return found, refused


def _free_id(container: Container, id_before: str | None, taken: set[str]) -> str:
    for id_ in (id_before, read_id(container), container.name):
        if id_ and id_ not in taken:
            return id_
    raise ValueError("its name is that of another service")


def _service(container: Container, id_: str, pattern: Service, place: Place, before: Service | None) -> Service | None:
    """Make the service of a container. Raises ValueError with what its labels lack."""
    label = container.labels.get("fks.health")
    endpoint = Endpoint() if label is None else read_endpoint(label, container)
    if endpoint is None:
        return None
    address = _address(container, endpoint, pattern, place) or (before.health_endpoint if before else None)
    if address is None:
        raise ValueError("it has no address that can be reached from here")
    return replace(
        pattern,
        id=id_,
        name=read_name(container.labels) or (pattern.name if pattern.id == id_ else id_),
        health_endpoint=address,
        service_type=TYPES.get(container.labels.get("fks.type", "").strip().lower(), pattern.service_type),
        critical=read_switch(container.labels.get("fks.critical", str(pattern.critical))),
        docker_container=container.name,
        group=container.project[:100] if container.project.isprintable() and container.project else None,
        is_discovered=True,
    )


def _address(container: Container, endpoint: Endpoint, pattern: Service, place: Place) -> str | None:
    if endpoint.scheme == "docker":
        return f"docker://{container.name}"
    port = endpoint.port or urlsplit(pattern.health_endpoint).port or next(iter(container.ports), None)
    if port is None:
        raise ValueError("fks.health names no port")
    reached = _reach(container, port, endpoint.host, place)
    if reached is None:
        return None
    host, outside = reached
    shown = f"[{host}]" if ":" in host else host
    return f"{endpoint.scheme}://{shown}:{outside}{endpoint.path}"


def _reach(container: Container, port: int, named: str | None, place: Place) -> tuple[str, int] | None:
    """Say where a port of a container is to be found from our place."""
    if container.is_on_host_network:
        return ("127.0.0.1", port) if place.is_on_host_network else None
    shared = [name for name in container.networks if name in place.networks]
    if any(name != "bridge" for name in shared):  # the default bridge knows no names
        return named or container.name, port
    if not place.is_inside and port in container.ports:
        address, outside = container.ports[port]
        return "127.0.0.1" if address in {"", "0.0.0.0", "::"} else address, outside  # noqa: S104
    for name in (*shared, *container.networks):
        if container.networks[name].address:
            return container.networks[name].address, port
    return None


def _with_needs(services: dict[str, Service], held: Mapping[str, Container]) -> tuple[Service, ...]:
    """Add what Compose says a service depends on, but no circle."""
    ids: dict[tuple[str, str], str] = {}
    for id_, one in held.items():
        ids.setdefault((one.project, one.compose_service), id_)
    needs = {id_: list(service.depends_on) for id_, service in services.items()}
    for id_, one in held.items():
        for need in (ids.get((one.project, name)) for name in _needs_of(one)):
            if need and need not in needs[id_] and id_ not in _all_needs(need, needs):
                needs[id_].append(need)
    return tuple(replace(one, depends_on=tuple(needs[id_])) for id_, one in services.items())


def _needs_of(container: Container) -> Iterable[str]:
    return read_needs(container.labels.get("com.docker.compose.depends_on", "")) if container.project else ()


def _all_needs(start: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    return set(_walk(start, needs, set()))


def _walk(start: str, needs: Mapping[str, Sequence[str]], seen: set[str]) -> Iterator[str]:
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += needs.get(one, ())
            yield one

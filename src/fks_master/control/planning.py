"""Tells what a checked request would change, and why, without changing anything or asking a registry."""

import asyncio
from collections.abc import Mapping

import msgspec

from fks_master.docker.compose import plan
from fks_master.docker.compose.cli import ComposeCli, Member, Model, ServiceModel
from fks_master.docker.compose.command import Project, dry_run
from fks_master.docker.compose.plan import Known, Step
from fks_master.docker.compose.request import Action, Request

# What these do is known without a dry run, or nothing.
TOLD_WITHOUT = {Action.PULL, Action.BUILD, Action.PUSH, Action.PS, Action.LOGS}
AT_ONCE = 4  # each a process of its own


class Prepared(msgspec.Struct, frozen=True):
    """A request that may be carried out.

    `members` are the containers that it may be about, `reach` its services with the one by which each got in.
    """

    request: Request
    project: Project
    model: Model | None = None
    members: tuple[Member, ...] = ()
    reach: Mapping[str, str | None] = {}


class Told(msgspec.Struct, frozen=True):
    """The steps, and how the dry run ended: its complaint where it failed."""

    steps: list[Step]
    code: int = 0
    complaint: str = ""


async def tell(cli: ComposeCli, prepared: Prepared) -> Told:
    """Read the plan. Raises ComposeUnavailableError."""
    image_ids = await _image_ids(cli, prepared)
    steps = _image_steps(prepared, image_ids)
    if prepared.request.action in TOLD_WITHOUT:
        return Told(steps)
    told = dry_run(prepared.project, msgspec.structs.replace(prepared.request, detach=True), cli.docker)
    answer = await cli.ask(told, prepared.project.folder)
    read = plan.read(answer.stderr + answer.stdout.decode("utf-8", "replace"))
    explained = plan.explained(read, await _known(cli, prepared, read, image_ids))
    return Told(steps + explained, answer.code, answer.stderr if answer.code else "")


async def _known(cli: ComposeCli, prepared: Prepared, steps: list[Step], image_ids: Mapping[str, str]) -> Known:
    """Find out what tells why; the hashes cost a call, so only where something is made anew."""
    has_fresh = any(step.verb == "recreate" for step in steps)
    hashes = await cli.hashes(prepared.project) if has_fresh else {}
    services = prepared.model.services if prepared.model else {}
    ids = {name: image_ids.get(one.image or "", "") for name, one in services.items()}
    present = {one.name: one.as_present() for one in prepared.members}
    return Known(present, hashes, ids, prepared.reach)


def _meant(prepared: Prepared) -> dict[str, ServiceModel]:
    """Return the services that the request is about, as far as a file tells; `up` is also about what they need."""
    request, model = prepared.request, prepared.model
    if model is None:
        return {}
    brings_more = request.action is Action.UP and request.services
    named = tuple(model.reach_of(request.services)) if brings_more else request.services
    return {name: one for name, one in model.services.items() if one.is_meant(name, named, request.profiles)}


async def _image_ids(cli: ComposeCli, prepared: Prepared) -> dict[str, str]:
    """Return the images that are here, by name."""
    if prepared.request.action is not Action.UP:
        return {}
    images = sorted({one.image for one in _meant(prepared).values() if one.image})
    slots = asyncio.Semaphore(AT_ONCE)

    async def look(image: str) -> str | None:
        async with slots:
            return await cli.image_id(image)

    found = await asyncio.gather(*map(look, images))
    return {image: id_ for image, id_ in zip(images, found, strict=True) if id_}


def _image_steps(prepared: Prepared, image_ids: Mapping[str, str]) -> list[Step]:
    """Tell which images would be pulled, built or pushed."""
    action, services = prepared.request.action, _meant(prepared)
    if action is Action.BUILD:
        return [Step("build", "service", name) for name, one in services.items() if one.build]
    if action is Action.PUSH:
        return [Step("push", "image", one.image) for one in services.values() if one.build and one.image]
    images = sorted({one.image for one in services.values() if one.image})
    if action is Action.PULL:
        return [Step("pull", "image", image) for image in images]
    built = {one.image for one in services.values() if one.build}
    missing = [image for image in images if image not in image_ids]
    return [Step("build" if image in built else "pull", "image", image, "it is not here") for image in missing]

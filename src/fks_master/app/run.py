"""From a config to a monitor that runs until it is told to stop."""

import asyncio
import gc
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack

import msgspec

from fks_master.api.server import listen
from fks_master.api.tls import Tls, prepare
from fks_master.app.acting import Acting
from fks_master.app.folder import make_private
from fks_master.app.serving import Parts, Port, Serving, authority_of, standing_by
from fks_master.app.telling import Telling
from fks_master.app.traced import observed
from fks_master.app.watching import DATA, Watching
from fks_master.background import Background
from fks_master.clock import SystemClock
from fks_master.config.environment import Settings
from fks_master.config.reload import Reloader
from fks_master.config.schema import Config
from fks_master.systemd import ServiceManager


class Run(msgspec.Struct, frozen=True):
    """What the command line hands over. `reread` reads the config again as it was read at the start."""

    config: Config
    settings: Settings
    reread: Callable[[], Config]
    manager: ServiceManager


class Started(msgspec.Struct, frozen=True):
    """What can be said once everything runs."""

    address: str
    config: Config
    credentials: tuple[str, ...]
    warnings: tuple[str, ...] = ()


async def serve(run: Run, announce: Callable[[Started], None]) -> None:
    """Watch until SIGTERM or SIGINT; SIGHUP reloads the config. Raises FksError when it cannot start."""
    starting = asyncio.create_task(_serve(run, announce))

    def give_up() -> None:
        starting.cancel()

    remove = _handle_signals(give_up, lambda: None)  # until there is more to end than a start, or a standby
    try:
        await asyncio.wait({starting})
    finally:
        remove()
        starting.cancel()
    if not starting.cancelled():
        starting.result()


async def _serve(run: Run, announce: Callable[[Started], None]) -> None:
    config, settings, clock = run.config, run.settings, SystemClock()
    async with AsyncExitStack() as stack:
        tracer = observed(settings, clock, stack)
        tls = prepare(settings.tls_cert, settings.tls_key, is_required=settings.tls_required)
        port = Port(stack.enter_context(listen(settings.host, settings.port)), tls)
        make_private(DATA)
        watching = Watching(config, clock, tracer, stack)
        if not await watching.past.may_lead():
            async with standing_by(port), Background() as waiting:
                waiting.start(run.manager.keep_alive(clock, lambda: True))
                run.manager.say("READY=1")
                await watching.past.wait_to_lead()
        remembered = await watching.restore()
        telling = await Telling.begin(config, watching, remembered, stack)
        acting = Acting(config, settings, watching, stack)
        telling.mind(acting)
        serving = Serving(config, settings, Parts(watching, telling, acting), port)
        stack.push_async_callback(serving.audit.close)

        def apply(fresh: Config) -> None:
            for part in (watching, telling, acting, serving):
                part.reconfigure(fresh)

        reloader = Reloader(config, run.reread, apply, watching.hub.announce)
        stack.callback(_handle_signals(_all(acting.jobs.interrupt, serving.stop), reloader.ask))
        background = await stack.enter_async_context(Background())
        for part in (watching, telling, acting, serving):
            for work in part.work():
                background.start(work)
        background.start(reloader.run(clock))
        background.start(run.manager.keep_alive(clock, watching.scheduler.is_progressing))

        announce(_started(run, tls, port.listener.getsockname()[1]))
        _settle()
        run.manager.say("READY=1")
        await serving.server.run_until_stopped()
        run.manager.say("STOPPING=1")


def _settle() -> None:
    """Spare the collector what stays for good, and let it run less often: checks leave next to no cycles behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _all(*calls: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        for each in calls:
            each()

    return call


def _handle_signals(stop: Callable[[], None], reload: Callable[[], None]) -> Callable[[], None]:
    """Install the handlers, and return what removes them."""
    loop = asyncio.get_running_loop()
    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    for number, handle in handlers.items():
        loop.add_signal_handler(number, handle)

    def remove() -> None:
        for number in handlers:
            loop.remove_signal_handler(number)

    return remove


def _started(run: Run, tls: Tls, port: int) -> Started:
    host = run.settings.host
    shown = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    address = f"{'https' if tls.certificate else 'http'}://{shown}:{port}"
    credentials = authority_of(run.config, run.settings).kinds
    return Started(address, run.config, credentials, (tls.warning,) if tls.warning else ())

"""What must fit between the options of one service: its address and how it is asked."""

from collections.abc import Iterable, Iterator

import msgspec

from fks_master.config.schema import Entry
from fks_master.model import HttpVersion, Method

_SCHEMES = {"http": ("http", "https"), "tls": ("https", "tls"), "tcp": ("tcp",), "dns": ("dns",)}


def find_mistakes(services: Iterable[Entry]) -> Iterator[str]:
    """Look at services that have the right shape."""
    for index, entry in enumerate(services):
        yield from _unfit_tables(f"services[{index}]", entry)
        yield from _version_mistakes(f"services[{index}].http.version", entry)
        yield from _contradictions(f"services[{index}]", entry)
        if entry.tls.key and not entry.tls.certificate:
            yield f"services[{index}].tls.certificate: missing, expected the certificate that belongs to the key"


def _unfit_tables(path: str, entry: Entry) -> Iterator[str]:
    """Find tables that nobody would ever look at."""
    scheme = entry.health_endpoint.partition(":")[0].lower()
    for name, schemes in _SCHEMES.items():
        options: msgspec.Struct = getattr(entry, name)
        if scheme not in schemes and options != type(options)():
            fitting = " or ".join(f"{each}://" for each in schemes)
            yield f"{path}.{name}: only for services whose health_endpoint begins with {fitting}"


def _contradictions(path: str, entry: Entry) -> Iterator[str]:
    http, tls = entry.http, entry.tls
    if http.method is Method.HEAD and (http.contains or http.matches or http.json):
        yield f"{path}.http.method: answers to HEAD have no body, on which there are conditions here"
    if http.proxy and http.unix_socket:
        yield f"{path}.http: expected only one of proxy and unix_socket"
    if tls.ca and not tls.verify:
        yield f"{path}.tls: expected ca only where verify is true"


def _version_mistakes(path: str, entry: Entry) -> Iterator[str]:
    version = entry.http.version
    if version not in {HttpVersion.HTTP_2, HttpVersion.HTTP_3}:
        return
    from fks_master.probes.transfer import LIBCURL, speaks  # noqa: PLC0415 - libcurl: 6 MB, for whom has no need of it

    if not speaks(version):
        yield f'{path}: found "{version}", which {LIBCURL} was built without'
    elif version is HttpVersion.HTTP_3 and not entry.health_endpoint.lower().startswith("https:"):
        yield f'{path}: found "{version}", expected a health_endpoint that begins with https://'
    elif version is HttpVersion.HTTP_3 and (entry.http.proxy or entry.http.unix_socket):
        yield f'{path}: found "{version}", expected neither proxy nor unix_socket beside it'

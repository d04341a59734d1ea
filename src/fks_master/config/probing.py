"""What must fit between the options of one service: its address and how it is asked."""

from collections.abc import Iterable, Iterator

from fks_master.config.schema import Entry
from fks_master.model import HttpVersion


def find_mistakes(services: Iterable[Entry]) -> Iterator[str]:
    """Look at services that have the right shape."""
    for index, entry in enumerate(services):
        yield from _version_mistakes(f"services[{index}].http.version", entry)
        if entry.tls.key and not entry.tls.certificate:
            yield f"services[{index}].tls.certificate: missing, expected the certificate that belongs to the key"


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

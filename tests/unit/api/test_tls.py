import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from fks_master.api.tls import Certificate, prepare
from fks_master.errors import TlsError

SCRIPT = Path(__file__).parents[3] / "scripts" / "generate_self_signed_tls.sh"


def generate(directory: Path, *names: str) -> tuple[Path, Path]:
    subprocess.run([SCRIPT, directory, *names], check=True, capture_output=True, timeout=30)
    return directory / "cert.pem", directory / "key.pem"


def shake_hands(context: ssl.SSLContext, authority: Path, **options: object) -> bytes | None:
    """Do a handshake in memory; returns the certificate that the client saw."""
    client_context = ssl.create_default_context(cafile=authority)
    for name, value in options.items():
        setattr(client_context, name, value)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.getpeercert(binary_form=True)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return generate(tmp_path / "first")


def test_a_generated_pair_serves_its_names(pair: tuple[Path, Path]) -> None:
    certificate = prepare(*pair, is_required=True).certificate
    assert certificate is not None
    assert shake_hands(certificate.context, pair[0])
    assert pair[1].stat().st_mode & 0o777 == 0o600


def test_anything_older_than_tls_1_2_is_refused(pair: tuple[Path, Path]) -> None:
    assert Certificate(*pair).context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_renewed_pair_is_served_to_the_next_client(pair: tuple[Path, Path], tmp_path: Path) -> None:
    certificate = Certificate(*pair)
    before = shake_hands(certificate.context, pair[0])
    assert not certificate.renew()
    for old, new in zip(pair, generate(tmp_path / "second"), strict=True):
        os.replace(new, old)  # noqa: PTH105
    assert certificate.renew()
    after = shake_hands(certificate.context, pair[0])
    assert after is not None
    assert after != before


def test_a_pair_that_does_not_fit_leaves_the_old_one_in_place(pair: tuple[Path, Path], tmp_path: Path) -> None:
    certificate = Certificate(*pair)
    authority = Path(shutil.copy(pair[0], tmp_path / "authority.pem"))
    before = shake_hands(certificate.context, authority)
    shutil.copy(generate(tmp_path / "second")[0], pair[0])
    assert not certificate.renew()
    pair[1].unlink()
    assert not certificate.renew()
    assert shake_hands(certificate.context, authority) == before


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_pair_that_cannot_be_loaded_falls_back_to_http_or_refuses(tmp_path: Path, content: str | None) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    if content is not None:
        certificate.write_text(content)
        key.write_text(content)
    found = prepare(certificate, key, is_required=False)
    assert found.certificate is None
    assert found.warning is not None
    assert str(certificate) in found.warning
    with pytest.raises(TlsError):
        prepare(certificate, key, is_required=True)


def test_a_key_with_a_pass_phrase_is_refused_instead_of_asking_the_terminal(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-in", pair[1], "-out", locked, "-aes256", "-passout", "pass:secret"]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    with pytest.raises(TlsError, match="pass phrase"):
        Certificate(pair[0], locked)


def test_nobody_asked_means_plain_http_without_a_warning() -> None:
    assert prepare(None, None, is_required=False).warning is None
    assert "FKS_TLS_KEY not set" in str(prepare(Path("cert.pem"), None, is_required=False).warning)
    with pytest.raises(TlsError, match="FKS_TLS_CERT and FKS_TLS_KEY"):
        prepare(None, None, is_required=True)

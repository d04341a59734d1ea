from pathlib import Path

import pytest

from fks_master.config.environment import read_environment
from fks_master.errors import ConfigError

NAME = "OTEL_EXPORTER_OTLP_HEADERS"


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("", {}),
        ("authorization=Bearer%20abc", {"authorization": "Bearer abc"}),
        ("a=1, b=x=y ,", {"a": "1", "b": "x=y"}),
    ],
)
def test_headers_are_read_as_opentelemetry_has_them(text: str, headers: dict[str, str]) -> None:
    assert read_environment({NAME: text}).otel_headers == headers


def test_they_may_come_from_a_file_and_are_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text("key=canary\n")
    settings = read_environment({f"{NAME}_FILE": str(file)})
    assert settings.otel_headers == {"key": "canary"}
    assert "canary" not in repr(settings)


@pytest.mark.parametrize("text", ["canary", "a=", "a b=canary", "a=canary%0d%0aInjected: 1", "=canary"])
def test_what_is_no_header_is_a_mistake_without_its_value(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_environment({NAME: text})
    assert NAME in str(caught.value)
    assert "canary" not in str(caught.value)

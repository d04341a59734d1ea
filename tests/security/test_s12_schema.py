"""S12: the whole OpenAPI document against the running program, as three kinds of caller."""

import hashlib
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.process import Monitor, monitor

KEYS = {"read": "reader", "operate": "operator", "admin": "administrator"}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
WITH_TUPLES = {"/api/history/recent"}  # their description, right in OpenAPI 3.1, is not understood by schemathesis
ABSENT = {502, 503, 504}  # Docker and Compose, which these tests do without


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitor]:
    path = tmp_path_factory.mktemp("schema") / "monitor.toml"
    keys = (
        f'[[api_keys]]\nname = "{scope}"\nhash = "{hashlib.sha256(key.encode()).hexdigest()}"\nscope = "{scope}"\n'
        for scope, key in KEYS.items()
    )
    services = '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\ndocker_container = "one"\n'
    path.write_text("".join(keys) + services)
    with monitor("--config", str(path), PATH="/nowhere") as running:  # no docker to be found, and none started
        yield running


@pytest.mark.parametrize("scope", KEYS)
def test_every_answer_is_documented_and_none_is_our_fault(one: Monitor, scope: str) -> None:
    schema = schemathesis.openapi.from_dict(one.get("/openapi.json"))
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 30
    for operation in operations:

        @settings(
            max_examples=20,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def drive(case: schemathesis.Case) -> None:
            answer = case.call(base_url=one.address, headers={"x-api-key": KEYS[scope]}, timeout=30)
            is_absent = (
                answer.status_code in ABSENT and str(answer.status_code) in case.operation.definition.raw["responses"]
            )
            left_out = {not_a_server_error} if is_absent else set()
            if case.operation.path in WITH_TUPLES:
                left_out.add(response_schema_conformance)
            checks = [check for check in CHECKS if check not in left_out]
            case.validate_response(answer, checks=checks)

        drive()
    assert one.request("/health")[0] == 200
    assert "Traceback" not in one.log

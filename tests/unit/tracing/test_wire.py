"""What we write by hand is what OpenTelemetry's own code reads."""

from hypothesis import given
from hypothesis import strategies as some
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from fks_master.tracing import wire

TEXTS = some.text(max_size=300)
INTEGERS = some.integers(-(2**63), 2**63 - 1)
VALUES = some.one_of(some.none(), TEXTS, some.booleans(), INTEGERS, some.floats(allow_nan=False))
MOMENTS = some.integers(0, 2**64 - 1)
SPANS = some.builds(
    wire.Finished,
    trace_id=some.integers(1, 2**128 - 1),
    span_id=some.integers(1, 2**64 - 1),
    parent_id=some.integers(0, 2**64 - 1),
    name=TEXTS,
    kind=some.integers(1, 3),
    begin=MOMENTS,
    end=MOMENTS,
    notes=some.dictionaries(TEXTS, VALUES, max_size=8),
    marks=some.lists(some.tuples(MOMENTS, TEXTS), max_size=8),
    reason=some.none() | TEXTS,
)


def read(data: bytes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.ParseFromString(data)
    return request


def value_of(found: object) -> object:
    return getattr(found, found.WhichOneof("value"))


@given(some.lists(SPANS, max_size=4))
def test_every_span_is_read_as_it_was(spans: list[wire.Finished]) -> None:
    request = read(wire.request(wire.head("mine", "1.2.3"), spans))
    (resource,) = request.resource_spans
    assert {one.key: one.value.string_value for one in resource.resource.attributes} == {
        "service.name": "mine",
        "service.version": "1.2.3",
    }
    (scope,) = resource.scope_spans
    assert (scope.scope.name, scope.scope.version) == ("fks_master", "1.2.3")
    assert len(scope.spans) == len(spans)
    for span, found in zip(spans, scope.spans, strict=True):
        assert int.from_bytes(found.trace_id, "big") == span.trace_id
        assert len(found.trace_id) == 16
        assert int.from_bytes(found.span_id, "big") == span.span_id
        assert int.from_bytes(found.parent_span_id, "big") == span.parent_id
        assert (found.name, found.kind) == (span.name, span.kind)
        assert (found.start_time_unix_nano, found.end_time_unix_nano) == (span.begin, span.end)
        assert {one.key: value_of(one.value) for one in found.attributes} == {
            key: value for key, value in span.notes.items() if value is not None
        }
        assert [(one.time_unix_nano, one.name) for one in found.events] == span.marks
        is_error = found.status.code == Status.STATUS_CODE_ERROR
        assert (is_error, found.status.message) == (span.reason is not None, span.reason or "")


def test_what_no_text_can_hold_does_not_spoil_the_request() -> None:
    span = wire.Finished(1, 1, 0, "\ud800", 1, 0, 0, {"\udfff": "\ud800"}, [], "\ud800")
    (found,) = read(wire.request(wire.head("mine", "1"), [span])).resource_spans[0].scope_spans[0].spans
    assert (found.name, found.status.message) == ("?", "?")

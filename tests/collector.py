"""A real OTLP receiver for the tests of tracing."""

import threading
from email.message import Message
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """A real OTLP receiver: decodes what arrives."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[Message] = []
        self.answers: list[int] = []  # what to answer the next requests; 200 to all others
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = decompress(body)
                request = ExportTraceServiceRequest()
                request.ParseFromString(body)
                collector.headers.append(self.headers)
                collector.requests.append(request)
                status = collector.answers.pop(0) if collector.answers else 200
                self.send_response(status if self.path == "/v1/traces" else 404)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def spans(self) -> list:
        found = [scope for request in self.requests for one in request.resource_spans for scope in one.scope_spans]
        return [span for scope in found for span in scope.spans]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

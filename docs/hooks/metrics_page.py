"""Every metric, as `/metrics` itself says it."""

import re

from tables import code, table

HEAD = """# Metrics

`GET /metrics`, in Prometheus' text format. How to read them from Prometheus and Grafana:
[Prometheus and Grafana](../howto/prometheus-and-grafana.md). Labels of services are those of
[what is promised](../promises.md): `service_id`, `service_name`, and where it helps `service_type` and `critical`.

"""
HELP = re.compile(r"^# HELP (\w+) (.*)\n# TYPE \w+ (\w+)$", re.MULTILINE)


def write(text: str) -> str:
    rows = [[code(name), kind, ", ".join(labels(text, name)), meaning] for name, meaning, kind in HELP.findall(text)]
    return HEAD + table(["metric", "kind", "labels seen", "meaning"], rows)


def labels(text: str, name: str) -> list[str]:
    """Give the labels of the first sample."""
    sample = re.search(rf"^{name}(?:_bucket)?{{(.*)}} ", text, re.MULTILINE)
    return [code(each) for each in re.findall(r'(\w+)="', sample[1])] if sample else []

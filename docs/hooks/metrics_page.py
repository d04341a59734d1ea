"""Every metric, as `/metrics` itself says it."""

import re

from config_page import meaning
from tables import code, table

HEAD = """# Metrics

`GET /metrics`, in Prometheus' text format. How to read them from Prometheus and Grafana:
[Prometheus and Grafana](../howto/prometheus-and-grafana.md). Labels of services are those of
[what is promised](../promises.md): `service_id`, `service_name`, and where it helps `service_type` and `critical`.

"""
HELP = re.compile(r"^# HELP (\w+) (.*)\n# TYPE \w+ (\w+)$", re.MULTILINE)


def write(text: str) -> str:
    rows = [[code(name), kind, ", ".join(labels(text, name)), meaning] for name, meaning, kind in HELP.findall(text)]
    return HEAD + table(["metric", "kind", "labels", "meaning"], rows)


def labels(text: str, name: str) -> list[str]:
    """Give the labels of the first sample, else those that `meanings.toml` knows."""
    sample = re.search(rf"^{name}(?:_bucket)?(?:{{(.*)}})? ", text, re.MULTILINE)
    found = meaning("labels", name).split() if sample is None else re.findall(r'(\w+)="', sample[1] or "")
    return [code(each) for each in found if each != "le"]

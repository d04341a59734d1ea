"""The parts that a Grafana dashboard is made of, as the JSON that Grafana reads (schema 39, Grafana 10 and later)."""

from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]

COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, AMBER, RED, GREY = "#2f9e63", "#d98e04", "#d0453b", "#8a8f98"
STATUSES = (("Unknown", GREY), ("Healthy", GREEN), ("Degraded", AMBER), ("Unhealthy", RED))
STATUS_MAPPING = [
    {
        "type": "value",
        "options": {
            str(number): {"text": text, "color": colour, "index": number}
            for number, (text, colour) in enumerate(STATUSES)
        },
    }
]
Query = tuple[str, str]
"""A PromQL expression and how its series are called."""


def steps(*pairs: tuple[float | None, str]) -> Json:
    """Give the colours from a value on; None is the lowest."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in pairs]}


def panel(kind: str, title: str, width: int, height: int, queries: Sequence[Query], **more: Any) -> Json:  # noqa: ANN401 - JSON
    """Make a panel; `instant=True` asks for now alone. Place and number are given by `layout`."""
    instant = more.pop("instant", False)
    targets = [
        {
            "refId": chr(ord("A") + index),
            "datasource": DATASOURCE,
            "expr": expression,
            "legendFormat": legend,
            "instant": instant,
            "range": not instant,
            **({"format": more["format"]} if "format" in more else {}),
        }
        for index, (expression, legend) in enumerate(queries)
    ]
    more.pop("format", None)
    return {
        "type": kind,
        "title": title,
        "datasource": DATASOURCE,
        "gridPos": {"w": width, "h": height},
        "targets": targets,
        **more,
    }


def stat(title: str, expression: str, width: int = 4, unit: str = "none", colours: Json | None = None) -> Json:
    defaults = {"unit": unit, "thresholds": colours or steps((None, GREEN)), "noValue": "0"}
    options = {"colorMode": "value", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]}}
    return panel("stat", title, width, 4, [(expression, "")], fieldConfig=_fields(defaults), options=options)


def lines(
    title: str, queries: Sequence[Query], unit: str = "none", width: int = 12, limit: float | None = None
) -> Json:
    """Draw curves; `limit` is a dashed line that they should stay below."""
    custom: Json = {"fillOpacity": 8, "showPoints": "never", "spanNulls": False}
    defaults: Json = {"unit": unit, "min": 0, "custom": custom}
    if limit is not None:
        custom["thresholdsStyle"] = {"mode": "dashed"}
        defaults["thresholds"] = steps((None, GREEN), (limit, RED))
    options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", title, width, 8, queries, fieldConfig=_fields(defaults), options=options)


def statuses(title: str, expression: str, count: int, legend: str = "{{service_name}}") -> Json:
    """Show how each service was, as coloured bars over time, about `count` of them."""
    defaults = {"mappings": STATUS_MAPPING, "custom": {"fillOpacity": 85, "lineWidth": 0}, "noValue": "Unknown"}
    shown = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
    options = {"showValue": "never", "mergeValues": True, "rowHeight": 0.8, "legend": shown}
    height = min(20, max(4, 3 + count))
    return panel(
        "state-timeline", title, COLUMNS, height, [(expression, legend)], fieldConfig=_fields(defaults), options=options
    )


def bars(title: str, expression: str, unit: str, colours: Json, width: int = 12) -> Json:
    """Show one bar a service, for now."""
    defaults = {"unit": unit, "thresholds": colours, "min": 0}
    options = {"displayMode": "basic", "orientation": "horizontal", "reduceOptions": {"calcs": ["lastNotNull"]}}
    queries = [(expression, "{{service_name}}")]
    return panel("bargauge", title, width, 8, queries, instant=True, fieldConfig=_fields(defaults), options=options)


def heatmap(title: str, expression: str, width: int = 12) -> Json:
    options = {"calculate": False, "yAxis": {"unit": "s"}, "color": {"scheme": "Greens", "mode": "scheme"}}
    queries = [(expression, "{{le}}")]
    return panel("heatmap", title, width, 8, queries, format="heatmap", options=options)


def layout(panels: Iterable[Json]) -> list[Json]:
    """Give each panel a number and a place: from left to right, a new line where one does not fit."""
    placed, x, y, height = [], 0, 0, 0
    for number, each in enumerate(panels, 1):
        size = each["gridPos"]
        if x + size["w"] > COLUMNS:
            x, y, height = 0, y + height, 0
        placed.append({"id": number, **each, "gridPos": {"x": x, "y": y, **size}})
        x, height = x + size["w"], max(height, size["h"])
    return placed


def _fields(defaults: Json) -> Json:
    return {"defaults": defaults, "overrides": []}

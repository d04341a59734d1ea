"""Badges: a label and a value as a small SVG that stands by itself."""

import math
from html import escape

GREEN, YELLOW, RED, GREY = "#2e7d32", "#b26a00", "#c62828", "#616161"


def badge(label: str, value: str, colour: str) -> str:
    """Draw it. Widths are estimated: the font is the reader's own."""
    left, right = (round(10 + 6.6 * len(text)) for text in (label, value))
    width, label, value = left + right, escape(label), escape(value)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{label}: {value}">'
        f"<title>{label}: {value}</title>"
        f'<rect width="{width}" height="20" rx="3" fill="#424242"/>'
        f'<rect x="{left}" width="{right}" height="20" rx="3" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2}" y="14">{label}</text><text x="{left + right / 2}" y="14">{value}</text></g></svg>'
    )


def uptime_text(percent: float | None) -> str:
    """Write it with two digits, rounded down: what was down for a moment was not up all the time."""
    return "unknown" if percent is None else f"{math.floor(percent * 100 + 1e-6) / 100:.2f} %"


def uptime_colour(percent: float | None) -> str:
    if percent is None:
        return GREY
    if percent >= 99.5:
        return GREEN
    return YELLOW if percent >= 95 else RED

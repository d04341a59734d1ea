from datetime import UTC, date, datetime

from fks_master.api.status_page import Day, Line, Page, Trouble, render, sentence
from fks_master.model import Status

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def page(*lines: Line) -> Page:
    return Page("Acme & Co", NOW, lines, (Trouble("<b>Api</b>", NOW, None),))


def test_what_others_wrote_is_text() -> None:
    name = "<script>alert(1)</script>\"'"
    html = render(page(Line(name, Status.UNHEALTHY, days=(Day(date(2026, 3, 1), 12.5),))))
    assert "<script" not in html
    assert "Acme &amp; Co" in html
    assert "&lt;b&gt;Api&lt;/b&gt;" in html
    assert 'class="unhealthy"' in html


def test_the_sentence_says_the_worst() -> None:
    up, down = Line("Up", Status.HEALTHY), Line("Shop", Status.UNHEALTHY)
    assert sentence(page(up)) == "All services are operational"
    assert sentence(page(up, down)) == "Shop is down"
    assert sentence(page(down, down)) == "2 services are down"
    assert sentence(page(Line("Shop", Status.DEGRADED))) == "Some services are slow or impaired"
    assert sentence(page(Line("Shop", Status.UNHEALTHY, is_planned=True))) == "Maintenance is under way"
    assert sentence(page(Line("Shop", Status.UNKNOWN))) == "Not everything has been looked at yet"

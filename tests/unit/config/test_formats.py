import pytest

from fks_master.config import formats

GOOD = {
    "name": ["a", "A.b_c-1", "9"],
    "variable": ["A", "_a1"],
    "present": ["x", " x "],
    "host": ["ops.example", "fks_master", "a"],
    "network": ["10.0.0.0/8", "10.1.2.3/8", "::1", "fe80::/10"],
    "origin": ["https://ops.example", "http://localhost:3000/", "http://[::1]:3000"],
    "endpoint": ["http://a", "https://a:1/b?c=d", "tcp://a:1", "tls://a", "dns://a", "dns://1.1.1.1/a", "docker://A_b",
                 "heartbeat://", "http://user:secret@a/", "http://[::1]:80/"],
    "webhook": ["", "http://a", "https://hooks.slack.com/x"],
    "moment": ["2026-05-01T22:00:00+02:00", "2026-05-01T22:00:00Z"],
    "time_of_day": ["00:00", "23:59"],
    "zone": ["UTC", "Europe/Berlin"],
    "database": ["sqlite:data/x.db", "sqlite:/x", "postgresql://u:p@h/d", "postgres://h/d"],
    "sha256": ["0" * 64],
    "heartbeat_token": ["a" * 16],
    "cron": ["30 2 * * mon-fri", "*/5 * * * *"],
}  # fmt: skip
BAD = {
    "name": ["", "-a", ".a", "a b", "ä", "a\n"],
    "variable": ["", "1a", "a-b", "a b"],
    "present": ["", " \t"],
    "host": ["", "http://a", "a:1", "a/b", "-a", "a-"],
    "network": ["", "10.0.0.0/99", "a", "10.0.0"],
    "origin": ["ops.example", "https://a/b", "https://a?b", "https://a#b", "https://u@a", "ftp://a", "https://",
               "https:// a"],
    "endpoint": ["", "a", "http://", "ftp://a", "http://a:0", "http://a:99999", "http://a b", "http://a\n", "tcp://a",
                 "docker://a:1",
                 "docker://a/b", "docker://", "http://[::1", "heartbeat://x"],
    "webhook": ["hooks.slack.com", "ftp://a", "http://"],
    "moment": ["", "2026-05-01", "2026-05-01T22:00:00", "tomorrow"],
    "time_of_day": ["24:00", "9:00", "12:60", ""],
    "zone": ["Europe/Nowhere", "../../etc/passwd", "", "/etc/localtime", "Europe"],
    "database": ["", "x.db", "mysql://h/d", "sqlite:", "sqlite:/", "postgresql://"],
    "sha256": ["", "0" * 63, "G" * 64, "A" * 64],
    "heartbeat_token": ["", "short", "a" * 129, "a" * 15 + "/"],
    "cron": ["", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "@daily"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in GOOD.items() for text in texts])
def test_what_is_right_is_taken(kind: str, text: str) -> None:
    assert getattr(formats, kind)(text) is None


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in BAD.items() for text in texts])
def test_what_is_wrong_is_met_with_what_would_be_right(kind: str, text: str) -> None:
    assert getattr(formats, kind)(text)

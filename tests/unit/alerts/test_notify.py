"""What each kind of receiver is sent, exactly, over real sockets."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from tests.servers import Recorder, answer, listening
from tests.smtp_server import smtp_server

from fks_master.alerts.notice import Cause, Notice, Severity
from fks_master.alerts.notify import KINDS, Answer, Push, Receiver, Request, Verdict
from fks_master.alerts.notify.options import EmailOptions, HttpMethod, NtfyOptions, TelegramOptions, WebhookOptions
from fks_master.alerts.notify.text import duration
from fks_master.alerts.sender import Sender

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DASHBOARD = "https://monitor.example/"
DOWN = Notice(
    "7", "ServiceDown", "fks_api", "FKS API", "FKS API is down: <b>HTTP</b> 500 & [more](http://evil)", NOW,
    data={"reason": "status", "error": "HTTP 500", "takes_down": ["fks_web", "fks_nginx"]},
    severity=Severity.CRITICAL, critical=True, thread="ServiceDown:fks_api@1",
)  # fmt: skip
UP = msgspec.structs.replace(
    DOWN,
    id="8",
    event_type="ServiceUp",
    message="FKS API is up again",
    data={},
    severity=Severity.INFO,
    is_firing=False,
)
replace = msgspec.structs.replace
of_apprise = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # of its own modules


def many(count: int, words: str = "down") -> list[Notice]:
    data = {"error": "x" * 3000, "reason": "status"}
    return [replace(DOWN, id=str(n), service_id=f"s{n}", message=f"s{n} {words}", data=data) for n in range(count)]


async def send(receiver: Receiver, notices: Sequence[Notice]) -> Answer:
    return await Sender().send(receiver.name, KINDS[receiver.kind].render(receiver, notices, NOW))


async def told(
    kind: str, notices: Sequence[Notice], path: str = "/hook", **more: Any
) -> tuple[str, dict[str, str], Any]:
    """Send to a real server; return the request line, the headers and the JSON that came."""
    server = Recorder()
    async with listening(server.handle) as port:
        url = f"http://127.0.0.1:{port}{path}"
        found = await send(Receiver("ops", kind, url, dashboard=DASHBOARD, **more), notices)
    assert (found.verdict, found.text) == (Verdict.SENT, "HTTP 200")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return first, headers, json.loads(body) if headers["content-type"].startswith("application/json") else body


async def test_the_generic_webhook_has_the_gravest_at_the_top_and_every_event_with_its_id() -> None:
    first, headers, body = await told("webhook", [UP, DOWN])
    assert first == "POST /hook HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert (body["id"], body["event_type"], body["status"]) == ("7", "ServiceDown", "firing")
    assert [(one["id"], one["event_type"]) for one in body["events"]] == [("8", "ServiceUp"), ("7", "ServiceDown")]
    assert {
        "service_id",
        "service_name",
        "message",
        "timestamp",
        "data",
        "severity",
        "critical",
        "thread",
    } <= body.keys()
    _, _, alone = await told("webhook", [DOWN])
    assert "events" not in alone


async def test_a_webhook_is_signed_over_time_and_body() -> None:
    request = KINDS["webhook"].render(Receiver("ops", "webhook", "http://x/", "key"), [DOWN], NOW)
    assert isinstance(request, Request)
    stamp = request.headers["X-FKS-Timestamp"]
    assert stamp == str(int(NOW.timestamp()))
    expected = hmac.new(b"key", stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-FKS-Signature"] == f"sha256={expected}"


async def test_a_template_fills_body_and_headers_and_escapes_for_where_they_stand() -> None:
    nasty = replace(DOWN, message='He said "no"\r\nX-Evil: yes')
    body = '{"text": "{message}", "n": {count}, "why": "{data.reason}", "none": "{data.nothing}", "all": {events}}'
    options = WebhookOptions(method=HttpMethod.PUT, body=body, headers={"X-Title": "{severity}: {message}"})
    first, headers, found = await told("webhook", [nasty], webhook=options, headers={"Authorization": "Bearer {id}"})
    assert first == "PUT /hook HTTP/1.1"
    assert found["text"] == 'He said "no"\r\nX-Evil: yes'
    assert (found["n"], found["why"], found["none"], found["all"][0]["id"]) == (1, "status", "", "7")
    assert headers["x-title"] == 'critical: He said "no" X-Evil: yes'
    assert "x-evil" not in headers
    assert headers["authorization"] == "Bearer {id}"


@pytest.mark.parametrize(
    ("media", "body", "expected"),
    [
        ("application/x-www-form-urlencoded", "a={message}&b=1", b"a=a+%26+b%3C%2F&b=1"),
        ("text/plain", "{severity}: {message}", b"critical: a & b</"),
        ("application/xml", "<a>{message}</a>", b"<a>a &amp; b&lt;/</a>"),
    ],
)
async def test_a_template_may_be_something_else_than_json(media: str, body: str, expected: bytes) -> None:
    options = WebhookOptions(content_type=media, body=body)
    _, headers, found = await told("webhook", [replace(DOWN, message="a & b</")], webhook=options)
    assert (headers["content-type"], found) == (media, expected)


async def test_slack_gets_blocks_in_colour_and_nothing_that_pings() -> None:
    _, _, body = await told("slack", [replace(DOWN, message="<!channel> down & out")])
    attachment = body["attachments"][0]
    assert (attachment["color"], body["text"]) == ("#d92d20", "&lt;!channel&gt; down &amp; out")
    section, details, context = attachment["blocks"]
    words = {"type": "mrkdwn", "text": "🔴 *&lt;!channel&gt; down &amp; out*", "verbatim": True}
    assert section == {"type": "section", "text": words}
    assert {**words, "text": "*takes down*\nfks_web, fks_nginx"} in details["fields"]
    assert context["elements"][0]["text"].endswith("|Open>")
    assert "https://monitor.example/#service/fks_api" in context["elements"][0]["text"]
    _, _, storm = await told("slack", many(40))
    assert sum(len(one["blocks"]) for one in storm["attachments"]) <= 50
    assert storm["attachments"][-1]["fallback"] == "and 25 more"
    assert all(len(field["text"]) <= 2000 for one in storm["attachments"][:-1] for field in one["blocks"][1]["fields"])


async def test_discord_gets_embeds_within_its_limits_and_pings_nobody() -> None:
    _, _, body = await told("discord", [DOWN])
    embed = body["embeds"][0]
    assert (embed["color"], embed["url"]) == (0xD92D20, "https://monitor.example/#service/fks_api")
    assert r"\[more\](http://evil)" in embed["title"]
    assert (body["allowed_mentions"], body["content"]) == ({"parse": []}, "")
    _, _, storm = await told("discord", many(40))
    size = sum(
        len(one["title"]) + sum(len(f["name"]) + len(f["value"]) for f in one["fields"]) for one in storm["embeds"]
    )
    assert size <= 6000
    assert storm["content"] == f"40 alerts: FKS API\nand {40 - len(storm['embeds'])} more"


async def test_teams_gets_a_card_in_which_others_words_are_no_markdown() -> None:
    _, _, body = await told("teams", [DOWN, UP])
    content = body["attachments"][0]["content"]
    assert body["type"] == "message"
    assert body["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    heading, down, up = content["body"]
    assert heading["inlines"][0]["text"] == "1 alert: FKS API; 1 resolved: FKS API"
    assert (down["style"], up["style"]) == ("attention", "good")
    assert down["items"][0]["inlines"][0] == {"type": "TextRun", "text": f"🔴 {DOWN.message}", "weight": "Bolder"}
    assert content["actions"][0]["url"] == "https://monitor.example/#service/fks_api"
    request = KINDS["teams"].render(Receiver("ops", "teams", "http://x/"), many(1000, "ü" * 600), NOW)
    assert isinstance(request, Request)
    assert len(request.body) <= 28_000


async def test_pagerduty_triggers_acknowledges_and_resolves_one_incident() -> None:
    _, _, trigger = await told("pagerduty", [DOWN], secret="routing")
    assert (trigger["routing_key"], trigger["event_action"]) == ("routing", "trigger")
    assert trigger["dedup_key"] == "ServiceDown:fks_api@1"
    payload = trigger["payload"]
    assert (payload["source"], payload["severity"], payload["class"]) == ("fks_api", "critical", "ServiceDown")
    assert payload["custom_details"]["event_id"] == "7"
    assert trigger["client_url"] == "https://monitor.example/#service/fks_api"
    known = replace(DOWN, cause=Cause.ACKNOWLEDGEMENT)
    for notice, action in ((known, "acknowledge"), (UP, "resolve")):
        _, _, found = await told("pagerduty", [notice], secret="routing")
        assert found == {"routing_key": "routing", "event_action": action, "dedup_key": "ServiceDown:fks_api@1"}
    request = KINDS["pagerduty"].render(Receiver("ops", "pagerduty", secret="k"), many(1, "x" * 5000), NOW)
    assert isinstance(request, Request)
    assert request.url == "https://events.pagerduty.com/v2/enqueue"
    assert len(json.loads(request.body)["payload"]["summary"]) == 1024


async def test_ntfy_gets_priority_tags_and_a_page_to_open() -> None:
    first, headers, body = await told("ntfy", [DOWN], "/base/fks", secret="tk_1", ntfy=NtfyOptions(tags=("fks",)))
    assert first == "POST /base/ HTTP/1.1"
    assert headers["authorization"] == "Bearer tk_1"
    assert (body["topic"], body["priority"], body["tags"]) == ("fks", 5, ["rotating_light", "fks"])
    assert (body["title"], body["click"]) == (DOWN.message, "https://monitor.example/#service/fks_api")
    assert "takes down: fks_web, fks_nginx" in body["message"]
    _, _, up = await told("ntfy", [UP], "/fks")
    assert (up["priority"], up["tags"]) == (3, ["white_check_mark"])
    _, _, storm = await told("ntfy", many(40), "/fks")
    assert len(storm["message"].encode()) < 4096


async def test_telegram_gets_escaped_html_that_fits() -> None:
    options = TelegramOptions(chat_id="-100", topic=5)
    first, _, body = await told("telegram", [DOWN], "", secret="1:token", telegram=options)
    assert first == "POST /bot1:token/sendMessage HTTP/1.1"
    assert (body["chat_id"], body["message_thread_id"], body["parse_mode"]) == ("-100", 5, "HTML")
    assert "&lt;b&gt;HTTP&lt;/b&gt; 500 &amp; [more]" in body["text"]
    assert body["disable_notification"] is False
    _, _, storm = await told("telegram", many(200), "", secret="1:token", telegram=options)
    assert len(storm["text"]) <= 4096
    assert storm["text"].startswith("<b>200 alerts: FKS API</b>")
    assert storm["text"].splitlines()[-1].endswith("more")
    server = Recorder(answer("429 Too Many", b'{"ok":false,"error_code":429,"parameters":{"retry_after":3}}'))
    async with listening(server.handle) as port:
        receiver = Receiver("ops", "telegram", f"http://127.0.0.1:{port}", "1:token", telegram=options)
        found = await send(receiver, [DOWN])
    assert (found.verdict, found.retry_after) == (Verdict.AGAIN, 3.0)


SINCE = "2026-03-01T11:35:00.100000Z"
OUTAGE = replace(DOWN, message="FKS API is down: HTTP 500", data={**DOWN.data, "since": SINCE, "incident_id": "inc-7"})


def words(*notices: Notice) -> str:
    """Give what a person reads, as one that has no frills shows it."""
    message = KINDS["apprise"].render(Receiver("ops", "apprise", "json://x", dashboard=DASHBOARD), notices, NOW)
    assert isinstance(message, Push)
    return f"{message.title}\n--\n{message.text}"


def test_a_message_says_what_since_when_why_what_depends_on_it_and_where_to_look() -> None:
    assert words(OUTAGE) == (
        "FKS API is down: HTTP 500\n--\n🔴 FKS API is down: HTTP 500\nservice: fks_api\n"
        "since: 2026-03-01 11:35:00 UTC, for 24 min\ntakes down: fks_web, fks_nginx\n\n"
        "https://monitor.example/#incident/inc-7"
    )
    reminder = words(replace(OUTAGE, cause=Cause.REPEAT))
    assert reminder.startswith("still after 24 min: FKS API is down: HTTP 500\n")
    end = replace(UP, data={"down_since": SINCE, "error": "HTTP 500", "incident_id": "inc-7"})
    assert words(end) == (
        "FKS API is up again after 24 min\n--\n🟢 FKS API is up again after 24 min\nservice: fks_api\n"
        "cause: HTTP 500\ndown: for 24 min, since 2026-03-01 11:35:00 UTC\n\nhttps://monitor.example/#incident/inc-7"
    )


def test_a_storm_names_the_gravest_and_has_a_line_for_each() -> None:
    storm = [replace(OUTAGE, id=str(n), service_name=f"Shop {n}", message=f"Shop {n} is down") for n in range(30)]
    title, _, first, *_ = words(*storm).splitlines()
    assert title == "30 alerts: Shop 0, Shop 1, Shop 2 and 27 more"
    assert first == "🔴 Shop 0 is down (since 11:35 UTC)"
    assert "and 10 more" in words(*storm)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (119, "119 s"), (3599, "59 min"), (12_000, "3 h 20 min"), (270_000, "3 d 3 h")]
)
def test_a_duration_is_short_to_read(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("nasty", ["<", "&", '"', "*", "\\", "ü", "🔥", "<!channel> @everyone ", " \t\n", "\x00\x1b"])
@pytest.mark.parametrize("count", [1, 3, 60])
def test_whatever_an_error_says_fits_where_it_goes(nasty: str, count: int) -> None:
    long = (nasty * 5000)[:5000]
    data = {"error": long, "since": "yesterday", "takes_down": [long] * 50, "threshold_ms": 1}
    storm = [replace(DOWN, id=str(n), message=long, service_name=long, data=data) for n in range(count)]
    for kind in ("slack", "discord", "telegram", "ntfy", "teams", "email"):
        options = EmailOptions(sender="a@example.org", to=("b@example.org",))
        receiver = Receiver("ops", kind, "smtp://x" if kind == "email" else "https://x/y", "1:t", email=options)
        message = KINDS[kind].render(replace(receiver, telegram=TelegramOptions(chat_id="1")), storm, NOW)
        if isinstance(message, Request):
            FITS[kind](json.loads(message.body))


def _fits_slack(body: dict[str, Any]) -> None:
    blocks = [block for one in body["attachments"] for block in one["blocks"]]
    assert len(blocks) <= 50
    assert all(0 < len(block["text"]["text"]) <= 3000 for block in blocks if "text" in block)
    assert all(len(field["text"]) <= 2000 for block in blocks for field in block.get("fields", []))


def _fits_discord(body: dict[str, Any]) -> None:
    fields = [field for embed in body["embeds"] for field in embed["fields"]]
    assert all(len(embed["title"]) <= 256 for embed in body["embeds"])
    assert all(field["value"].strip() and len(field["value"]) <= 1024 for field in fields)
    assert len(body["content"]) <= 2000
    size = sum(len(embed["title"]) for embed in body["embeds"])
    assert size + sum(len(field["name"]) + len(field["value"]) for field in fields) <= 6000


def _fits_telegram(body: dict[str, Any]) -> None:
    assert len(body["text"]) <= 4096
    ET.fromstring(f"<m>{CONTROLS.sub('', body['text'])}</m>")  # noqa: S314 - our own: nothing is cut in two


def _fits_ntfy(body: dict[str, Any]) -> None:
    assert len(body["message"].encode()) <= 4096
    assert len(body["title"]) <= 250


def _fits_teams(body: dict[str, Any]) -> None:
    assert len(json.dumps(body, ensure_ascii=False).encode()) <= 28_000


CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f]")
FITS = {
    "slack": _fits_slack, "discord": _fits_discord, "telegram": _fits_telegram, "ntfy": _fits_ntfy,
    "teams": _fits_teams,
}  # fmt: skip


@of_apprise
async def test_apprise_delivers_to_what_it_knows() -> None:
    server = Recorder()
    async with listening(server.handle) as port:
        found = await send(Receiver("ops", "apprise", f"json://127.0.0.1:{port}/x"), [DOWN])
    assert (found.verdict, found.text) == (Verdict.SENT, "Apprise: taken")
    body = json.loads(server.requests[0].partition(b"\r\n\r\n")[2])
    assert (body["title"], body["type"]) == (DOWN.message, "failure")
    assert "takes down: fks_web, fks_nginx" in body["message"]
    refused = await send(Receiver("ops", "apprise", "nonsense://x"), [DOWN])
    assert refused.verdict is Verdict.REFUSED


@of_apprise
async def test_apprise_follows_no_redirect() -> None:
    goal = Recorder()
    async with listening(goal.handle) as there:
        server = Recorder(answer("307 Temporary Redirect", b"", f"Location: http://127.0.0.1:{there}/"))
        async with listening(server.handle) as port:
            found = await send(Receiver("ops", "apprise", f"json://127.0.0.1:{port}/x"), [DOWN])
    assert found.verdict is Verdict.AGAIN
    assert (len(server.requests), goal.requests) == (1, [])


def mail(port: int, scheme: str = "smtp", **more: Any) -> Receiver:
    options = {"sender": "FKS Master <fks@example.org>", "to": ("ops@example.org",), **more}
    secret = "right" if "username" in more else ""
    return Receiver("mail", "email", f"{scheme}://127.0.0.1:{port}", secret, DASHBOARD, email=EmailOptions(**options))


async def test_an_email_goes_encrypted_and_authenticated_as_text_and_page(tmp_path: Path) -> None:
    async with smtp_server(tmp_path) as (server, trusted):
        receiver = mail(server.port, username="fks", ca=str(trusted))
        found = await send(receiver, [DOWN])
        assert (found.verdict, found.text) == (Verdict.SENT, "SMTP 250")
        await send(receiver, [UP])
    first, last = server.taken
    assert (first.is_encrypted, first.user) == (True, "fks")
    assert (first.sender, first.recipients) == ("fks@example.org", ["ops@example.org"])
    message = first.content
    assert message["From"] == "FKS Master <fks@example.org>"
    assert message["Subject"] == f"[FKS] {DOWN.message}"
    assert message["Message-ID"] == "<7.mail@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert (
        message["References"]
        == last.content["References"]
        == "<ServiceDown-fks-api-1.mail@example.org>".replace("fks-api", "fks_api")
    )
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert "takes down: fks_web, fks_nginx" in plain.get_content()
    assert "https://monitor.example/#service/fks_api" in plain.get_content()
    assert "&lt;b&gt;HTTP&lt;/b&gt;" in page.get_content()
    assert "<b>HTTP" not in page.get_content()
    assert last.content["Subject"] == "[FKS] resolved: FKS API is up again"


async def test_a_storm_is_one_email(tmp_path: Path) -> None:
    async with smtp_server(tmp_path) as (server, trusted):
        await send(mail(server.port, ca=str(trusted)), many(300))
    assert len(server.taken) == 1
    assert server.taken[0].content["Subject"] == "[FKS] 300 alerts: FKS API"
    plain = server.taken[0].content.get_body(("plain",))
    assert plain is not None
    assert "and 100 more" in plain.get_content()


async def test_an_email_goes_over_tls_from_the_first_byte(tmp_path: Path) -> None:
    async with smtp_server(tmp_path, over_tls=True) as (server, trusted):
        found = await send(mail(server.port, "smtps", ca=str(trusted)), [DOWN])
        assert found.verdict is Verdict.SENT
        untrusted = await send(mail(server.port, "smtps"), [DOWN])
    assert (untrusted.verdict, untrusted.text.partition(":")[0]) == (Verdict.AGAIN, "certificate not trusted")
    assert [one.is_encrypted for one in server.taken] == [True]


async def test_an_email_goes_in_clear_only_where_that_is_said(tmp_path: Path) -> None:
    async with smtp_server(tmp_path, offers_starttls=False) as (server, trusted):
        refused = await send(mail(server.port, ca=str(trusted)), [DOWN])
        assert (refused.verdict, server.taken) == (Verdict.AGAIN, [])
        found = await send(mail(server.port, starttls=False), [DOWN])
        assert (found.verdict, server.taken[0].is_encrypted) == (Verdict.SENT, False)


async def test_a_header_cannot_be_smuggled_into_an_email(tmp_path: Path) -> None:
    nasty = replace(DOWN, message="down\r\nBcc: all@example.org\r\n\r\nhello", id="a>\r\nX: y", thread="t\n\nx")
    async with smtp_server(tmp_path) as (server, trusted):
        await send(mail(server.port, ca=str(trusted)), [nasty])
    message = server.taken[0].content
    assert (message["Bcc"], message["X"]) == (None, None)
    assert message["Subject"] == "[FKS] down Bcc: all@example.org hello"


@pytest.mark.parametrize(
    ("command", "said", "verdict"),
    [
        ("MAIL", "451 later", Verdict.AGAIN),
        ("MAIL", "550 not you", Verdict.REFUSED),
        ("RCPT", "450 later", Verdict.AGAIN),
        ("RCPT", "550 not there", Verdict.REFUSED),
        ("DATA", "554 spam", Verdict.REFUSED),
    ],
)
async def test_what_a_mail_server_says_decides(tmp_path: Path, command: str, said: str, verdict: Verdict) -> None:
    async with smtp_server(tmp_path) as (server, trusted):
        server.answers[command] = said
        found = await send(mail(server.port, ca=str(trusted)), [DOWN])
    assert (found.verdict, found.text) == (verdict, f"SMTP {said[:3]}: {said[4:]}")


async def test_a_wrong_password_is_refused_and_not_repeated_in_the_log(tmp_path: Path) -> None:
    async with smtp_server(tmp_path) as (server, trusted):
        receiver = replace(mail(server.port, username="fks", ca=str(trusted)), secret="wrong password")
        found = await send(receiver, [DOWN])
    assert (found.verdict, found.text) == (Verdict.REFUSED, "SMTP 535: 5.7.8 …")


async def test_one_recipient_that_is_refused_does_not_keep_the_others_from_hearing(tmp_path: Path) -> None:
    async with smtp_server(tmp_path) as (server, trusted):
        receiver = mail(server.port, ca=str(trusted), to=("ops@example.org", "nobody@example.org"))
        found = await send(receiver, [DOWN])
    assert (found.verdict, found.text) == (Verdict.SENT, "SMTP 250, but not for nobody@example.org (550)")
    assert server.taken[0].recipients == ["ops@example.org"]


async def test_a_mail_server_that_hangs_is_given_up(tmp_path: Path) -> None:
    async with smtp_server(tmp_path) as (server, trusted):
        server.answers["MAIL"] = None
        receiver = mail(server.port, ca=str(trusted))
        sender = Sender(deadline_seconds=0.5)
        found = await sender.send("mail", KINDS["email"].render(receiver, [DOWN], NOW))
        assert (found.verdict, found.text) == (Verdict.AGAIN, "no answer within 0.5 s")


async def test_tries_that_hang_get_no_more_threads_and_hold_up_nobody() -> None:
    class Hanging:
        def run(self) -> Answer:
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(over.wait(), loop).result(30)
            return Answer(Verdict.SENT, "")

        def abort(self) -> None:
            pass

    loop, begun, over = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    sender = Sender(deadline_seconds=0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fks_master.alerts.push.Pushing", lambda _: Hanging())
        message = KINDS["apprise"].render(Receiver("a", "apprise", "x://"), [DOWN], NOW)
        said = [(await sender.send("a", message)).text for _ in range(3)]
    assert said == ["no answer within 0.1 s", "no answer within 0.1 s", "earlier tries still hang"]
    server = Recorder()
    async with listening(server.handle) as port:
        receiver = Receiver("b", "webhook", f"http://127.0.0.1:{port}/")
        assert (await sender.send("b", KINDS["webhook"].render(receiver, [DOWN], NOW))).verdict is Verdict.SENT
    over.set()

"""The carrier of whatever Apprise knows. Apprise is imported with the first message, or by the check of the config."""

import logging

from fks_master.alerts.notify import Answer, Push, Verdict

MISSING = 'Apprise is not installed: pip install "fks-master[apprise]"'


class Pushing:
    """One try of a message. It cannot be ended from outside: whoever waits for it gives up."""

    def __init__(self, push: Push) -> None:
        self._push = push

    def abort(self) -> None:
        """Let it be."""

    def run(self) -> Answer:
        push = self._push
        try:
            from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - nobody pays for it who does not use it
        except ImportError:
            return Answer(Verdict.AGAIN, MISSING)
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its lines may hold addresses, which are secrets
        sender = Apprise(asset=AppriseAsset(app_id="FKS Master", app_desc="", app_url="", http_redirects=False))
        if not sender.add(push.url):
            return Answer(Verdict.REFUSED, "Apprise does not know this kind of address")
        if sender.notify(body=push.text, title=push.title, notify_type=push.kind, body_format="text"):
            return Answer(Verdict.SENT, "Apprise: taken")
        return Answer(Verdict.AGAIN, "Apprise could not hand it over")


def find_mistake(url: str) -> str | None:
    """Say what is wrong with an address for Apprise."""
    try:
        from apprise import Apprise  # noqa: PLC0415 - nobody pays for it who does not use it
    except ImportError:
        return MISSING
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    return None if Apprise.instantiate(url) else "an address that Apprise knows, such as ntfys://topic"

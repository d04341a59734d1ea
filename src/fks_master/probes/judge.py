"""What an answer means: its status, its body, what the service says about itself, the certificate it showed."""

from datetime import datetime

import msgspec

from fks_master.model import Certificate, Outcome, Phases, Reason, Result, Service, Status, TlsOptions
from fks_master.probes.answer import Fault, decode, find_fault, inflate
from fks_master.probes.detail import NOTHING_SAID, Report, read_report

EXCERPT_LENGTH = 300


class Finding(msgspec.Struct, frozen=True):
    """A result, and where the server sent us on to."""

    result: Result
    redirect: str | None = None


class Seen(msgspec.Struct, frozen=True):
    """What a try saw, before it is judged; `seconds` is the whole try's time."""

    at: datetime
    seconds: float
    status_code: int | None
    phases: Phases
    remote: str | None = None
    http_version: str | None = None
    certificate: Certificate | None = None

    def result(  # noqa: PLR0913 - once a check, so it is made in one go
        self,
        service: Service,
        outcome: Outcome,
        report: Report = NOTHING_SAID,
        fault: Fault | None = None,
        *,
        words: str | None = None,
        excerpt: str | None = None,
    ) -> Result:
        """Make the result; `words` are those of a good answer that is degraded."""
        return Result(
            service.id,
            outcome,
            self.at,
            self.seconds,
            fault.reason if fault else None,
            fault.message if fault else words,
            self.status_code,
            self.phases,
            fault is None and words is not None,
            report.components,
            1,
            self.certificate,
            self.remote,
            self.http_version,
            excerpt,
        )


def judge(service: Service, seen: Seen, fault: Fault | None, body: bytes, redirect: str | None = None) -> Finding:
    """Judge an answer; `fault` says that there is none."""
    body = inflate(body)
    report = read_report(body) if service.detailed and seen.status_code else NOTHING_SAID
    fault = fault or find_fault(service.http, seen.status_code or 0, body)
    if fault is None and report.status is Status.UNHEALTHY:
        fault = Fault(Reason.REPORTED, report.message or "The service says so")
        return Finding(seen.result(service, Outcome.FAILURE, report, fault))
    if fault is None:
        words = _words_of_degraded(service.tls, seen, report)
        return Finding(seen.result(service, Outcome.SUCCESS, report, words=words))
    if fault.reason is Reason.STATUS and report.message:
        fault = Fault(fault.reason, f"{fault.message}: {report.message}")
    excerpt = decode(body[:EXCERPT_LENGTH]) or None
    failed = seen.result(service, Outcome.FAILURE, report, fault, excerpt=excerpt)
    return Finding(failed, redirect if fault.reason is Reason.STATUS else None)


def _words_of_degraded(tls: TlsOptions, seen: Seen, report: Report) -> str | None:
    """Say why a good answer is not quite good; None: it is."""
    if seen.certificate is not None and (words := expiry(seen.certificate, seen.at, tls)):
        return words
    return (report.message or "The service says so") if report.status is Status.DEGRADED else None


def expiry(certificate: Certificate, at: datetime, tls: TlsOptions) -> str | None:
    """Say when a certificate that is about to expire does so."""
    if not certificate.is_expiring(at, tls.warn_days):
        return None
    days = certificate.days_left(at)
    return f"The certificate expires in {days:.1f} days" if days >= 0 else "The certificate has expired"

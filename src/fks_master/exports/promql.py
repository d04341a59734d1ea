"""Selectors of PromQL."""

from collections.abc import Iterable


def among(ids: Iterable[str]) -> str:
    """Select services by id. A backslash counts twice, for PromQL's strings and for its patterns."""
    return 'service_id=~"{}"'.format("|".join(each.replace(".", r"\\.") for each in ids))

"""Regular expressions of the configuration. They meet what strangers wrote, in the thread that asks every service.

RE2 matches in a time that is linear in the text, where Python's `re` may need for ever; so the only thing that is left
to bound is how much an expression has to keep in mind at a time.
"""

import re
import warnings
from functools import cache
from typing import Any

MOST_STEPS = 1000  # times 64 KiB: a quarter of a second, for an expression and a body that are both made for it
LONGEST = 2000
MEMORY = 1 << 20

_UNKNOWN = {
    "(?=": "it cannot look ahead",
    "(?!": 'it cannot look ahead; what may not stand in a body goes into "excludes"',
    "(?<=": "it cannot look behind",
    "(?<!": "it cannot look behind",
    "(?>": "it never tracks back, so write it without",
    "(?#": "it knows no comments",
    "(?P": "it cannot refer back to a group",
    r"\Z": r'the end of the text is "\z"',
    r"\u": r'a character by its number is "\x{20ac}"',
    r"\U": r'a character by its number is "\x{20ac}"',
} | {rf"\{digit}": "it cannot refer back to a group" for digit in range(1, 10)}


class Regex:
    """A compiled expression. As elsewhere, `$` also fits before a line break that ends the text."""

    __slots__ = ("_compiled", "_may_end_early")

    def __init__(self, text: str) -> None:
        """Raise ValueError with what was expected."""
        if len(text) > LONGEST:
            raise ValueError(f"a regular expression of at most {LONGEST} characters")
        self._compiled = _compile(text)
        self._may_end_early = "$" in text
        if self._compiled.programsize > MOST_STEPS:
            raise ValueError(
                f"a regular expression with less to keep in mind ({self._compiled.programsize} steps, of at most"
                f' {MOST_STEPS}): smaller numbers in "{{ }}", or * and + in their place'
            )

    def is_in(self, text: str) -> bool:
        found = text.encode("utf-8", "replace")
        if self._compiled.search(found):
            return True
        return self._may_end_early and found[-1:] == b"\n" and self._compiled.search(found[:-1]) is not None


def _compile(text: str) -> Any:  # noqa: ANN401 - RE2 has no types
    try:
        return _re2().compile(text.encode("utf-8", "replace"), _options())
    except _re2().error as error:
        raise ValueError(f"a regular expression as RE2 knows them ({_explain(text, _words(error))})") from None


def _explain(text: str, words: str) -> str:
    """Say what is wrong, where, and what to do about it. RE2 names the part, but not its place."""
    kind, _, part = words.partition(": ")
    if kind.startswith(("missing ", "unexpected ", "trailing ")):
        return _explain_like_python(text) or kind
    if not part:
        return kind
    end = next((at for at in range(len(text), 0, -1) if not _fails_alike(text[: at - 1], words)), len(part))
    return f'"{part}" at character {end - len(part) + 1}: {_UNKNOWN.get(part, kind)}'


def _explain_like_python(text: str) -> str | None:
    """Say what is wrong with brackets, of which Python knows the place. It only reads the expression here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text)
    except re.error as error:
        return f"{error.msg} at character {(error.pos or 0) + 1}"
    except (OverflowError, RecursionError):
        pass
    return None


def _fails_alike(text: str, words: str) -> bool:
    try:
        _re2().compile(text.encode("utf-8", "replace"), _options())
    except _re2().error as error:
        return _words(error) == words
    return False


def _words(error: Exception) -> str:
    (words,) = error.args
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)


@cache
def _re2() -> Any:  # noqa: ANN401 - RE2 has no types
    try:
        import re2  # noqa: PLC0415 - 3 MB, for whom has a regular expression
    except ImportError as error:
        raise ValueError("no regular expression: the Python package google-re2 is not installed") from error
    return re2


@cache
def _options() -> Any:  # noqa: ANN401 - RE2 has no types
    options = _re2().Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = MEMORY
    return options

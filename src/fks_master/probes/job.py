"""A question on its way through the prober's thread."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


class Job(Generic[Answer]):
    """What is asked (a `Transfer` or an `Exchange`), and who is told the answer, or the exception that it ended in."""

    __slots__ = ("answered", "question", "was_paused")

    def __init__(self, question: Any, answered: Callable[[Answer | Exception], None]) -> None:  # noqa: ANN401
        self.question = question
        self.answered = answered
        self.was_paused = False


Ended = Callable[[Job[Answer], Answer | Exception], None]

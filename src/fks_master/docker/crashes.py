"""Who crashes again and again. Docker forgets its own count when a container is restarted by hand: we count deaths."""

from collections import deque

WINDOW_SECONDS = 600.0
LOOP = 3  # crashes within the window
MOST_NAMES = 10_000


class Crashes:
    """Counts crashes by the name of the container; a loop ends when none has happened for a whole window."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}
        self._looping: set[str] = set()

    def note(self, name: str, now: float) -> bool:
        """Count a crash; true when this one makes it a loop."""
        if name not in self._times and len(self._times) >= MOST_NAMES:
            self.forget(next(iter(self._times)))
        self._times.setdefault(name, deque(maxlen=1000)).append(now)
        if name in self._looping or self.recent(name, now) < LOOP:
            return False
        self._looping.add(name)
        return True

    def recent(self, name: str, now: float) -> int:
        """Return how often it crashed within the window."""
        times = self._times.get(name)
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        return len(times or ())

    def is_looping(self, name: str) -> bool:
        return name in self._looping

    def take_calm(self, now: float) -> list[str]:
        """Return those whose loop has ended since the last call."""
        calm = [name for name in sorted(self._looping) if not self.recent(name, now)]
        self._looping.difference_update(calm)
        for name in [one for one in self._times if not self.recent(one, now)]:
            del self._times[name]
        return calm

    def forget(self, name: str) -> None:
        self._times.pop(name, None)
        self._looping.discard(name)

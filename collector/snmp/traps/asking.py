"""Polls that notifications ask for: of each device at once, and then one in ten seconds at most."""

import asyncio
from collections.abc import Callable

LEAST_SECONDS = 10.0


class Asking:
    """Asks for polls, in the loop it is used in.

    What comes within ten seconds of an earlier one is asked for at their end, so that the last change is seen too.
    """

    def __init__(self, ask_again: Callable[[str], None], least_seconds: float = LEAST_SECONDS) -> None:
        self._ask_again, self._least_seconds = ask_again, least_seconds
        self._pausing: dict[str, asyncio.TimerHandle] = {}
        self._wanted: set[str] = set()

    def ask(self, device_id: str) -> None:
        if device_id in self._pausing:
            self._wanted.add(device_id)
            return
        loop = asyncio.get_running_loop()
        self._pausing[device_id] = loop.call_later(self._least_seconds, self._paused, device_id)
        self._ask_again(device_id)

    def _paused(self, device_id: str) -> None:
        del self._pausing[device_id]
        if device_id in self._wanted:
            self._wanted.discard(device_id)
            self.ask(device_id)

    def close(self) -> None:
        for timer in self._pausing.values():
            timer.cancel()
        self._pausing.clear()

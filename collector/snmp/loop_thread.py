"""A thread with an event loop of its own, which the threads beside it start, tell things and end."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any


class LoopThread:
    """Runs `main`, which ends soon after the event that it is given is set."""

    def __init__(self, name: str, main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        self._main = main
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Have `main` end, and wait for it; nothing where it was never started."""
        if self._thread.ident is None:
            return
        # A thread that has only just been started hears of nothing yet.
        self._begun.wait()
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def call(self, what: Callable[[], object]) -> bool:
        """Have something called in the loop, from any thread; False where there is no loop yet."""
        if self._loop is None:
            return False
        self._loop.call_soon_threadsafe(what)
        return True

    async def _run(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        await self._main(self._stopping)

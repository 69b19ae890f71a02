"""Interruption: stop a training run where it can be resumed, on SIGTERM or Ctrl-C."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interruption:
    """A request to stop a training run early.

    Attributes:
        requested: whether an early stop was requested.
    """

    def __init__(self) -> None:
        self.requested = False


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Turn the first SIGTERM or Ctrl-C into a request that the training run checks after each step.

    The second one has its usual effect. Outside the main thread, where Python delivers no signals, nothing changes.
    """
    request = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    former: dict[signal.Signals, Any] = {}

    def restore() -> None:
        for number, handler in former.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        request.requested = True
        restore()

    for number in (signal.SIGTERM, signal.SIGINT):
        former[number] = signal.signal(number, note)
    try:
        yield request
    finally:
        restore()

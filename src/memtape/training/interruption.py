"""Interruption: let a training end where it can be continued, when the system or a person asks for it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interruption:
    """Whether somebody asked for the end."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Turn the first SIGTERM or Ctrl-C into a wish that the training looks at after each update.

    The second one acts as it always does. Outside of the main thread, where Python hands out no signals, nothing changes.
    """
    wish = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    former: dict[signal.Signals, Any] = {}

    def restore() -> None:
        for number, handler in former.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        wish.asked = True
        restore()

    for number in (signal.SIGTERM, signal.SIGINT):
        former[number] = signal.signal(number, note)
    try:
        yield wish
    finally:
        restore()

"""Trouble with a server, and a second try: bounded, with longer and longer pauses."""

import time
from collections.abc import Callable
from typing import TypeVar

PAUSES = (0.5, 1.0, 2.0, 4.0)
Result = TypeVar("Result")


class ServerError(Exception):
    """The server did not do what it should. The message is free of UIDs, names and addresses."""


class DeclinedError(ServerError):
    """The server is there, and says that it cannot deliver what it lists."""


def patiently(act: Callable[[], Result]) -> Result:
    """What an act returns, tried again after each of PAUSES (seconds) while it raises ServerError."""
    for pause in PAUSES:
        try:
            return act()
        except ServerError:
            time.sleep(pause)
    return act()

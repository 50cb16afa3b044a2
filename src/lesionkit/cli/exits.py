"""Exit codes of every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a command leaves to the shell."""

    DONE = 0
    SOME_FAILED = 1  # a case of several could not be done, or a selftest was wrong
    REFUSED = 2  # a mistake in what was asked, or a file that cannot be read or written
    INTERRUPTED = 130  # 128 and SIGINT, as shells have it

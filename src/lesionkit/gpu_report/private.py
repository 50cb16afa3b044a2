"""Nothing that tells whose machine it was: a report goes to somebody else."""

from __future__ import annotations

import getpass
import re
import socket
from contextlib import suppress
from pathlib import Path

# /a/b, C:\\a\\b: not the slash inside texture/glcm/glcm.cu, nor that of "and/or"
PATH = re.compile(r"(?<![\w.])(?:[A-Za-z]:|~)?(?:[\\/][^\s\\/:;,'\"()\[\]<>]+){2,}[\\/]?")


def without_names(text: str) -> str:
    """The text with every path of files, the user's and the machine's name taken out."""
    text = PATH.sub("PATH", text)
    for name in _names():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "NAME", text, flags=re.IGNORECASE)
    return text


def _names() -> list[str]:
    host = socket.gethostname()
    found = {host, host.partition(".")[0], Path.home().name}
    with suppress(OSError, KeyError, ImportError):  # a user without a name
        found.add(getpass.getuser())
    return sorted((name for name in found if len(name) > 1), key=len, reverse=True)

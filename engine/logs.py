"""The engine's log: one line a message on stderr, as journald likes it, without secrets.

Under systemd each line begins with its syslog priority (sd-daemon(3)) and carries no time, elsewhere with the UTC time.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Mapping

from storage.camera_url import masked

_CREDENTIALS = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@]*@")
_PRIORITIES = {"DEBUG": "<7>", "INFO": "<6>", "WARNING": "<4>", "ERROR": "<3>", "CRITICAL": "<2>"}


class OneLineFormatter(logging.Formatter):
    """Joins the lines of traces and removes credentials from URLs, whoever logged them."""

    converter = staticmethod(time.gmtime)

    def __init__(self, is_journal: bool) -> None:
        form = "%(name)s: %(message)s" if is_journal else "%(asctime)s %(levelname)s %(name)s: %(message)s"
        super().__init__(form, "%Y-%m-%dT%H:%M:%SZ")
        self._is_journal = is_journal

    def format(self, record: logging.LogRecord) -> str:
        line = " | ".join(part.strip() for part in super().format(record).splitlines() if part.strip())
        line = masked(_CREDENTIALS.sub(r"\g<scheme>…@", line))
        return _PRIORITIES.get(record.levelname, "<5>") + line if self._is_journal else line


def start_log(level: str, environment: Mapping[str, str] = os.environ) -> None:
    """Replace whatever logging was set up by one handler on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter("JOURNAL_STREAM" in environment))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    for noisy in ("aiohttp", "asyncio", "PIL", "libav"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
    # It writes a trace for each date of a camera that is none, and raises besides where it matters.
    logging.getLogger("zeep").setLevel(logging.CRITICAL)

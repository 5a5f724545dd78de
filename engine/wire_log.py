"""API messages about the log: what people did (a chain that cannot be edited) and what happened. Part of `engine.wire`'s API. Manual rows LS."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from engine.wire_message import Reply, Request


class LogCategory(StrEnum):
    """LS-04."""

    OPERATION = "operation"
    EVENT = "event"


class LogQuery(Request, frozen=True, kw_only=True):
    """LS-02. Newest first, in pages."""

    category: str = ""
    types: tuple[str, ...] = ()
    min_severity: str | None = None
    """minor, normal, major."""
    actor: str | None = None
    source: str | None = None
    start_us: int | None = None
    end_us: int | None = None
    text: str = ""
    before: str = ""
    """`resume` of the page before."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 200


class LogEntry(Reply, frozen=True, kw_only=True):
    """LS-04. Of an operation, `id` and `digest` are its place in the chain that cannot be edited."""

    id: int
    time_us: int
    category: LogCategory
    type: str
    """Operation: what was called, `camera.edit`; event: its kind."""
    actor: str = ""
    source: str = ""
    text: str = ""
    severity: str = "normal"
    """major, normal, minor."""
    is_success: bool = True
    digest: str = ""


class LogPage(Reply, frozen=True, kw_only=True):
    entries: tuple[LogEntry, ...]
    resume: str = ""
    """Empty = that was all."""


class LogVerification(Reply, frozen=True, kw_only=True):
    """Whether the chain of operations is whole."""

    is_whole: bool
    checked: int
    first_id: int = 0
    last_id: int = 0
    trouble: str = ""

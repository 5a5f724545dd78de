"""The two kinds of message, and the rule of each: replies may grow, requests may not."""

from __future__ import annotations

import msgspec


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what the engine answers: new fields may appear in later versions."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what a client asks: an unknown field is an error that names it."""

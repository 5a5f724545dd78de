"""API messages about evidence: cases, export jobs, the station's key. Part of `engine.wire`'s API. Manual rows EX, RS, rule 24."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from engine.wire_message import Reply, Request
from engine.wire_search import Share

Comment = Annotated[str, msgspec.Meta(max_length=4_000)]
CaseName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


# -- cases -----------------------------------------------------------------------------------------------


class CaseAdd(Request, frozen=True, kw_only=True):
    name: CaseName
    comment: Comment = ""


class CaseEdit(Request, frozen=True, kw_only=True):
    """Only the fields given change."""

    name: CaseName | None = None
    comment: Comment | None = None
    order: tuple[int, ...] | None = None
    """Ids of all its items, in the order they shall have."""


class CaseItemAdd(Request, frozen=True, kw_only=True):
    camera: str
    start_us: int
    end_us: int
    comment: Comment = ""


class CaseItemEdit(Request, frozen=True, kw_only=True):
    """Only the fields given change."""

    start_us: int | None = None
    end_us: int | None = None
    comment: Comment | None = None


class CaseItemView(Reply, frozen=True, kw_only=True):
    """A stretch of a case, locked from recycling while it is there."""

    id: int
    camera: str
    start_us: int
    end_us: int
    comment: str = ""
    added_us: int = 0
    added_by: str = ""
    is_valid: bool = True
    """False: its video is gone."""


class CaseView(Reply, frozen=True, kw_only=True):
    id: int
    name: str
    comment: str = ""
    created_us: int = 0
    created_by: str = ""
    items: tuple[CaseItemView, ...] = ()
    """In their order."""


class CaseList(Reply, frozen=True, kw_only=True):
    """Newest first."""

    cases: tuple[CaseView, ...]


# -- export jobs -----------------------------------------------------------------------------------------


class MaskStyle(StrEnum):
    BLACK = "black"
    PIXELATE = "pixelate"


class PrivacyMask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """EX-04. A masked range is encoded anew, everything else is copied."""

    left: Share
    top: Share
    width: Share
    height: Share
    start_us: int | None = None
    end_us: int | None = None
    """None = from the beginning, to the end."""
    style: MaskStyle = MaskStyle.BLACK


class ExportRange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    camera: str
    start_us: int
    end_us: int
    comment: Comment = ""
    masks: tuple[PrivacyMask, ...] = ()


class ExportAsk(Request, frozen=True, kw_only=True):
    """An export that the engine makes, whatever becomes of the console: one MP4 a range, and what proves them."""

    ranges: tuple[ExportRange, ...] = ()
    case: str = ""
    """Instead of ranges: all of a case, with its comments."""
    name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    """Of the export; empty = made from camera and time."""
    password: Annotated[str, msgspec.Meta(max_length=128)] = ""
    """EX-03: everything in one ZIP with AES-256 (WinZip AE-2); the names of the files in it stay readable. Never kept."""
    comment: Comment = ""
    """Why: goes into the manifest and the report."""
    with_audio: bool = True
    with_report: bool = True
    """An index page with pictures (several ranges, or a case, always have one)."""


class RangePlan(Reply, frozen=True, kw_only=True):
    """What one range would hold."""

    camera: str
    start_us: int
    """Of the keyframe at or before the asked start."""
    end_us: int
    bytes: int
    """0 for a masked one: not known before it is encoded."""
    parts: tuple[tuple[int, int], ...] = ()
    is_masked: bool = False
    trouble: str = ""
    """Why it would hold nothing."""


class ExportPlanView(Reply, frozen=True, kw_only=True):
    ranges: tuple[RangePlan, ...]
    bytes: int
    free_bytes: int
    """Where it would be made, less what is left alone."""
    folder: str
    is_possible: bool
    trouble: str = ""


class ExportState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ExportedFile(Reply, frozen=True, kw_only=True):
    name: str
    bytes: int
    sha256: str
    """Hexadecimal."""


class ExportJobView(Reply, frozen=True, kw_only=True):
    id: str
    name: str
    state: ExportState
    progress: float = 0.0
    """0 to 1."""
    doing: str = ""
    """In words: `gate, 12 of 60 s`."""
    bytes: int = 0
    """Written so far; of all files when done."""
    total_bytes: int = 0
    """As planned."""
    ranges: tuple[ExportRange, ...] = ()
    case: str = ""
    comment: str = ""
    is_encrypted: bool = False
    created_us: int = 0
    created_by: str = ""
    ended_us: int | None = None
    expires_us: int | None = None
    """When its files are removed."""
    is_expired: bool = False
    """They were."""
    folder: str = ""
    """On the engine's machine; its files are in it when done."""
    files: tuple[ExportedFile, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader should know: gaps, left-out audio, damage."""
    trouble: str = ""
    remedy: str = ""


class ExportJobList(Reply, frozen=True, kw_only=True):
    """Newest first."""

    jobs: tuple[ExportJobView, ...]


class StationKeyView(Reply, frozen=True, kw_only=True):
    """The public half of the key that signs exports."""

    algorithm: str
    """ed25519."""
    public_key: str
    """Base64, 32 bytes."""
    fingerprint: str
    """SHA-256 of these, hexadecimal, in groups of four: to be read out on the telephone."""
    pem: str
    """SubjectPublicKeyInfo: for openssl and for `watchdeck verify --key`."""
    created_us: int

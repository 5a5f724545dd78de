"""One export as the engine keeps it: what was asked for, how far it is, what came of it. In the catalog, never with a password."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from engine.wire_evidence import ExportedFile, ExportJobView, ExportRange, ExportState
from storage.catalog.export_jobs import ExportJobRow

ENDED = (ExportState.DONE, ExportState.FAILED, ExportState.CANCELLED)


class WantedRange(msgspec.Struct, frozen=True, kw_only=True):
    """A range with the camera it meant when it was asked for: names may change, and be given to another."""

    asked: ExportRange
    camera: str
    """UUID."""


class JobBody(msgspec.Struct, frozen=True, kw_only=True):
    """The column `body`. Fields are only ever added."""

    name: str
    ranges: tuple[WantedRange, ...]
    case: str = ""
    case_comment: str = ""
    comment: str = ""
    with_audio: bool = True
    with_report: bool = False
    is_encrypted: bool = False
    folder: str = ""
    """Its name in the folder of exports."""
    total_bytes: int = 0
    files: tuple[ExportedFile, ...] = ()
    notes: tuple[str, ...] = ()
    trouble: str = ""
    remedy: str = ""
    expires_us: int | None = None
    is_expired: bool = False
    locks: tuple[int, ...] = ()
    """What keeps the footage until the export has ended."""


_decoder = msgspec.json.Decoder(JobBody)
_encoder = msgspec.json.Encoder()


@dataclass(slots=True)
class ExportJob:
    """Loop only. States: waiting → running → done, failed or cancelled; waiting → cancelled or failed."""

    id: UUID
    body: JobBody
    created_us: int
    created_by: str
    state: ExportState = ExportState.WAITING
    ended_us: int | None = None
    password: str = field(default="", repr=False)
    """Only while it has not ended; after a restart it is gone."""
    done_bytes: int = 0
    """Of the planned bytes; masked ranges count by their source."""
    written_bytes: int = 0
    doing: str = ""

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    def change(self, **changes: object) -> None:
        self.body = msgspec.structs.replace(self.body, **changes)

    def row(self) -> ExportJobRow:
        return ExportJobRow(
            uuid=self.id.bytes,
            state=self.state.value,
            body=_encoder.encode(self.body).decode(),
            created_us=self.created_us,
            created_by=self.created_by,
            ended_us=self.ended_us,
        )

    @classmethod
    def from_row(cls, row: ExportJobRow) -> ExportJob:
        """Raises msgspec.ValidationError for a body of nobody knows whom."""
        return cls(
            UUID(bytes=row.uuid),
            _decoder.decode(row.body),
            row.created_us,
            row.created_by,
            ExportState(row.state),
            row.ended_us,
        )

    def view(self, folder: str) -> ExportJobView:
        """`folder`: where all exports are."""
        body = self.body
        is_done = self.state is ExportState.DONE
        progress = min(self.done_bytes / body.total_bytes, 0.99) if body.total_bytes else 0.0
        return ExportJobView(
            id=str(self.id),
            name=body.name,
            state=self.state,
            progress=1.0 if is_done else progress,
            doing=self.doing,
            bytes=sum(file.bytes for file in body.files) if is_done else self.written_bytes,
            total_bytes=body.total_bytes,
            ranges=tuple(wanted.asked for wanted in body.ranges),
            case=body.case,
            comment=body.comment,
            is_encrypted=body.is_encrypted,
            created_us=self.created_us,
            created_by=self.created_by,
            ended_us=self.ended_us,
            expires_us=body.expires_us,
            is_expired=body.is_expired,
            folder=f"{folder}/{body.folder}" if is_done and not body.is_expired else "",
            files=body.files,
            notes=body.notes,
            trouble=body.trouble,
            remedy=body.remedy,
        )

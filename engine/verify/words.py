"""A verification in plain words, for a person who has to rely on it. Text only; local time of the machine it runs on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from storage.evidence.findings import FileReport, Stretch, Verdict, is_all_authentic
from storage.evidence.public_key import grouped
from storage.plain_text import printable

SHOWN_STRETCHES = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = {
    Verdict.MATCHED: "matched",
    Verdict.NOT_MATCHED: "NOT MATCHED",
    Verdict.UNSIGNED: "WITHOUT SIGNATURE",
}


def local_moment(time_us: int) -> str:
    """`2026-07-12 14:03:07.250 CEST`; what no calendar has is given in microseconds."""
    try:
        local = (_EPOCH + timedelta(microseconds=time_us)).astimezone()
    except (OverflowError, ValueError, OSError):
        return f"{time_us} us"
    return f"{local:%Y-%m-%d %H:%M:%S}.{time_us // 1000 % 1000:03} {local.tzname()}"


def report_lines(report: FileReport) -> Iterator[str]:
    """What a person wants to know of one file, most important first."""
    yield f"{printable(report.name)}: {verdict_words(report)}"
    if report.kind != "package":
        yield f"  parts         {counts_words(report)}"
    if report.first_altered is not None:
        yield f"  first altered {_moment_of(report.first_altered)}, byte {report.first_altered.offset_bytes}"
    for trouble in report.troubles:
        yield f"  wrong         {printable(trouble)}"
    shown = [each for each in report.stretches if each.verdict is not Verdict.MATCHED]
    for stretch in shown[:SHOWN_STRETCHES]:
        yield f"  {_WORDS[stretch.verdict].lower()}: {_stretch_words(stretch)}"
    if len(shown) > SHOWN_STRETCHES:
        yield f"  and {len(shown) - SHOWN_STRETCHES} more stretches (--json lists them)"
    if report.camera:
        yield f"  camera        {printable(report.camera)}"
    if report.start_us is not None and report.end_us is not None:
        yield f"  shows         {local_moment(report.start_us)}"
        yield f"  until         {local_moment(report.end_us)}"
    if report.is_encoded_anew:
        yield "  masked        pictures were encoded anew with parts of them made invisible"
    if report.exported_us is not None:
        yield f"  exported      {local_moment(report.exported_us)} by {printable(report.exported_by)}"
        yield f"  station       {printable(report.station)} ({printable(report.software)})"
    if report.comment:
        yield f"  comment       {printable(report.comment)}"
    for note in report.notes:
        yield f"  note          {printable(note)}"


def verdict_words(report: FileReport) -> str:
    """One word or two."""
    if report.is_authentic:
        return "matched"
    if report.not_matched:
        return "NOT MATCHED"
    if report.troubles:
        return "NOT AUTHENTIC"
    return "WITHOUT SIGNATURE"


def counts_words(report: FileReport) -> str:
    return (
        f"{report.matched} matched, {report.not_matched} not matched,"
        f" {report.without_signature} without signature"
    )


def _moment_of(stretch: Stretch) -> str:
    return "no time known" if stretch.start_us is None else local_moment(stretch.start_us)


def _stretch_words(stretch: Stretch) -> str:
    number = f"{stretch.parts} part{'s' if stretch.parts != 1 else ''}"
    where = f"bytes {stretch.offset_bytes} to {stretch.end_bytes}"
    if stretch.start_us is None or stretch.end_us is None:
        return f"{number}, {where}: {printable(stretch.why)}"
    return (
        f"{number} from {local_moment(stretch.start_us)}"
        f" for {max(stretch.end_us - stretch.start_us, 0) / 1e6:.1f} s, {where}: {printable(stretch.why)}"
    )


def summary_lines(reports: Sequence[FileReport]) -> Iterator[str]:
    """The sum, and whose signature it is."""
    matched = sum(report.matched for report in reports)
    not_matched = sum(report.not_matched for report in reports)
    unsigned = sum(report.without_signature for report in reports)
    yield ""
    yield f"in sum: {matched} parts matched, {not_matched} not matched, {unsigned} without signature"
    keys = sorted({report.key for report in reports if report.key})
    if not is_all_authentic(reports):
        yield "NOT AUTHENTIC, or not provably so: see above"
    if all(report.is_key_given for report in reports):
        if is_all_authentic(reports):
            yield "authentic: signed by the key that was given, and nothing was changed"
        return
    for key in keys:
        groups = grouped(bytes.fromhex(key))
        yield f"signed by key {groups[:39]}"
        yield f"              {groups[40:]}"
    if keys:
        yield "compare it with the station's: `watchdeck station key` there, or --key here"
    if len(keys) > 1:
        yield "note: these are different keys"

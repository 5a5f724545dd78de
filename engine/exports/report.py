"""The page that comes with an export: what is in it, when, with a few pictures, what is missing, and how to verify it. RS-07.

One file that needs nothing else: pictures are inside, there are no scripts, everything a person typed is escaped, and a
content security policy forbids all but its own style and pictures. Pure.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from html import escape
from urllib.parse import quote

from engine.exports.names import local_moment
from engine.wire_evidence import MaskStyle, PrivacyMask
from storage.units import US_PER_SECOND

_STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em; color: #111; background: #fff }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin: 2em 0 .3em; border-top: 1px solid #999; padding-top: 1em }
table { border-collapse: collapse; margin: .5em 0 } td, th { text-align: left; vertical-align: top; padding: .15em 1em .15em 0 }
th { font-weight: normal; color: #555; white-space: nowrap } .utc { color: #666 } .mark { color: #a00 }
.pictures { display: flex; flex-wrap: wrap; gap: .6em } figure { margin: .5em 0 } img { max-width: 19em; border: 1px solid #999 }
figcaption { font-size: .85em; color: #555 } code { font: 13px monospace; overflow-wrap: anywhere } .said { white-space: pre-wrap }
@media print { h2 { break-after: avoid } figure { break-inside: avoid } }
"""


@dataclass(frozen=True, slots=True)
class MissingFootage:
    start_us: int
    end_us: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class ReportedRange:
    """One range, whether there is a file of it or not."""

    camera: str
    asked_start_us: int
    asked_end_us: int
    comment: str = ""
    file: str = ""
    size_bytes: int = 0
    sha256: str = ""
    start_us: int = 0
    end_us: int = 0
    masks: tuple[PrivacyMask, ...] = ()
    missing: tuple[MissingFootage, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[tuple[int, bytes], ...] = ()
    """(time, JPEG)."""
    trouble: str = ""
    """Why there is no file of it."""


@dataclass(frozen=True, slots=True)
class Report:
    title: str
    station: str
    software: str
    exported_us: int
    exported_by: str
    ranges: tuple[ReportedRange, ...]
    case: str = ""
    case_comment: str = ""
    comment: str = ""
    fingerprint: str = ""
    """Of the station's key, in groups; empty: nothing is signed."""
    notes: tuple[str, ...] = field(default=())


def report_page(report: Report) -> bytes:
    """UTF-8."""
    return "\n".join(_page(report)).encode()


def _page(report: Report) -> Iterator[str]:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
    yield f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{escape(report.title)}</h1>"
    rows = [
        ("Station", escape(report.station)),
        ("Exported", f"{_both_times(report.exported_us)} by {escape(report.exported_by)}"),
    ]
    if report.case:
        rows.append(("Case", escape(report.case)))
    if report.case_comment:
        rows.append(("About the case", _said(report.case_comment)))
    if report.comment:
        rows.append(("Why exported", _said(report.comment)))
    rows.append(("Files", f"{sum(1 for each in report.ranges if each.file)} of {len(report.ranges)} ranges"))
    rows.append(("Software", escape(report.software)))
    yield _table(rows)
    for note in report.notes:
        yield f'<p class="mark">{escape(note)}</p>'
    for number, each in enumerate(report.ranges, 1):
        yield from _range(number, each)
    yield from _how(report)
    yield "</body></html>\n"


def _range(number: int, each: ReportedRange) -> Iterator[str]:
    yield f"<h2>{number}. {escape(each.camera)}, {_local(each.asked_start_us)}</h2>"
    if each.comment:
        yield f"<p>{_said(each.comment)}</p>"
    rows = [("Asked for", _stretch(each.asked_start_us, each.asked_end_us))]
    if each.trouble:
        rows.append(("Not exported", f'<span class="mark">{escape(each.trouble)}</span>'))
    else:
        rows += [
            ("File", f'<a href="{quote(each.file)}">{escape(each.file)}</a>, {each.size_bytes:,} bytes'),
            ("Shows", _stretch(each.start_us, each.end_us)),
            ("SHA-256", f"<code>{escape(each.sha256)}</code>"),
        ]
    for gap in each.missing:
        cause = f": {escape(gap.cause)}" if gap.cause else ""
        rows.append(
            ("Not recorded", f'<span class="mark">{_stretch(gap.start_us, gap.end_us)}{cause}</span>')
        )
    for mask in each.masks:
        rows.append(("Masked", escape(mask_words(mask))))
    rows += [("Note", escape(note)) for note in each.notes]
    yield _table(rows)
    if each.pictures:
        yield '<div class="pictures">'
        for time_us, jpeg in each.pictures:
            data = base64.b64encode(jpeg).decode()
            yield (
                f'<figure><img alt="{escape(each.camera)}" src="data:image/jpeg;base64,{data}">'
                f"<figcaption>{_local(time_us)}</figcaption></figure>"
            )
        yield "</div>"


def _how(report: Report) -> Iterator[str]:
    yield "<h2>How to verify</h2>"
    if not report.fingerprint:
        yield "<p>This export is not signed. The SHA-256 above can be compared with what the station's log says.</p>"
        return
    yield "<p>With Watchdeck, on any machine, without the station and without a network:</p>"
    yield "<p><code>watchdeck verify FOLDER</code></p>"
    yield (
        "<p>It says for each part whether it is what the station recorded. Compare the fingerprint it shows with what"
        " the station's operator reads out:</p>"
    )
    yield f"<p><code>{escape(report.fingerprint)}</code></p>"


def mask_words(mask: PrivacyMask) -> str:
    """`black, 10.0 % from the left, 20.0 % from the top, 30.0 x 40.0 %, all the time`."""
    style = "black" if mask.style is MaskStyle.BLACK else "pixelated"
    when = "all the time"
    if mask.start_us is not None and mask.end_us is not None:
        when = f"{_local(mask.start_us)} to {_local(mask.end_us)}"
    elif mask.start_us is not None:
        when = f"from {_local(mask.start_us)}"
    elif mask.end_us is not None:
        when = f"until {_local(mask.end_us)}"
    return (
        f"{style}, {mask.left / 100:.1f} % from the left, {mask.top / 100:.1f} % from the top,"
        f" {mask.width / 100:.1f} x {mask.height / 100:.1f} %, {when}"
    )


def _table(rows: list[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f"<table>{lines}</table>"


def _said(text: str) -> str:
    return f'<span class="said">{escape(text)}</span>'


def _stretch(start_us: int, end_us: int) -> str:
    length_s = (end_us - start_us) / US_PER_SECOND
    return f"{_both_times(start_us)}<br>to {_both_times(end_us)}<br>{length_s:.1f} s"


def _local(time_us: int) -> str:
    return f"{local_moment(time_us):%Y-%m-%d %H:%M:%S}"


def _both_times(time_us: int) -> str:
    moment = local_moment(time_us)
    tenths = time_us % US_PER_SECOND // 100_000
    utc = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{tenths} UTC"
    return f'{moment:%Y-%m-%d %H:%M:%S}.{tenths} {moment:%z} <span class="utc">({utc})</span>'

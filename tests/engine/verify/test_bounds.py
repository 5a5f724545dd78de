"""What files say of themselves is bounded, however many they are."""

from __future__ import annotations

from engine.verify.bounds import STRETCHES, WORDS, bounded
from storage.evidence.findings import STRETCH_LIMIT, TEXT_LIMIT, FileReport, Findings, Verdict


def test_behind_the_last_stretch_that_is_told_apart_nothing_is_added_to_it() -> None:
    findings = Findings()
    for part in range(STRETCH_LIMIT + 10):
        findings.part(Verdict.NOT_MATCHED if part % 2 else Verdict.MATCHED, part, 1, "", (part, part + 1))
    report = findings.report("x", "export", STRETCH_LIMIT + 10)
    assert len(report.stretches) == STRETCH_LIMIT
    assert {stretch.end_bytes - stretch.offset_bytes for stretch in report.stretches} == {1}
    assert {stretch.parts for stretch in report.stretches} == {1}
    assert report.matched + report.not_matched == STRETCH_LIMIT + 10


def test_what_many_hostile_files_say_is_bounded() -> None:
    def loud(number: int) -> FileReport:
        findings = Findings(notes=["n" * 5_000] * 3_000, troubles=["t" * 5_000] * 3_000)
        for part in range(2_000):
            verdict = Verdict.NOT_MATCHED if part % 2 else Verdict.MATCHED
            findings.part(verdict, part, 1, "why", (part, part + 1))
        return findings.report(
            f"{number}.mp4", "export", 2_000, comment="c" * 1_000_000, camera="c" * 1_000_000
        )

    reports = list(bounded(loud(number) for number in range(100)))
    assert len(reports) == 100
    assert sum(len(report.stretches) for report in reports) == STRETCHES
    for kind in ("notes", "troubles"):
        assert sum(len(each) for report in reports for each in getattr(report, kind)) <= WORDS + 100 * 100
    for report in reports:
        assert (report.matched, report.not_matched) == (1_000, 1_000)
        assert report.first_altered is not None
        assert report.first_altered.start_us == 1
        assert report.troubles
        assert not report.is_authentic
        assert len(report.comment) == len(report.camera) == TEXT_LIMIT

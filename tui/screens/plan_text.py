"""The words of a plan: what is erased, what is at risk, which cameras lose which days, warnings, or why it is refused. Pure."""

from __future__ import annotations

from datetime import tzinfo

from textual.content import Content

from engine.wire_chassis import CameraAtRisk, OperationPlan
from widgets import format

CAMERAS_SHOWN = 12


def plan_lines(plan: OperationPlan, zone: tzinfo) -> list[Content]:
    """What a person needs to judge it; worst first."""
    radius = plan.radius
    lines: list[Content] = []
    if plan.refused:
        lines.append(Content.assemble(("Refused: ", "bold $text-error"), (plan.refused, "bold")))
        if plan.refused_remedy:
            lines.append(Content(plan.refused_remedy))
        lines.append(Content(""))
    if radius.erases:
        lines.append(Content.styled("ERASES", "bold reverse $text-error"))
        lines += [Content.styled(f"  {text}", "bold $text-error") for text in radius.erases]
    if radius.footage_bytes or radius.cameras:
        what, style = (
            ("erased", "bold $text-error") if radius.erases else ("at risk meanwhile", "bold $text-warning")
        )
        lines.append(Content.styled(f"Recordings {what}: {_footage(plan)}", style))
        for camera in radius.cameras[:CAMERAS_SHOWN]:
            lines += _camera_lines(camera, zone, is_erased=bool(radius.erases))
        more = len(radius.cameras) - CAMERAS_SHOWN
        if more > 0:
            lines.append(Content.styled(f"  ... and {format.plural(more, 'more camera')}", "dim"))
    if radius.at_risk:
        title = "AT RISK" if radius.erases else "AT RISK MEANWHILE"
        lines.append(Content.styled(title, "bold reverse $text-warning"))
        lines += [Content.styled(f"  {text}", "bold $text-warning") for text in radius.at_risk]
    if radius.warnings:
        lines.append(Content.styled("Mind", "bold"))
        lines += [Content.styled(f"  {text}", "$text-warning") for text in radius.warnings]
    if not plan.refused and not (radius.erases or radius.at_risk or radius.footage_bytes):
        lines.append(Content("Nothing is erased and nothing is put at risk."))
    return lines


def makes_lines(makes: tuple[str, ...]) -> list[Content]:
    """What comes of it."""
    return [
        Content.styled("MAKES", "bold $text-accent"),
        *(Content(f"  {line}") for line in makes),
        Content(""),
    ]


def _footage(plan: OperationPlan) -> str:
    radius = plan.radius
    text = f"{format.decimal_bytes(radius.footage_bytes)} of {format.plural(len(radius.cameras), 'camera')}"
    if radius.locked_bytes:
        text += f", {format.decimal_bytes(radius.locked_bytes)} of it locked evidence"
    return text


def _camera_lines(camera: CameraAtRisk, zone: tzinfo, *, is_erased: bool) -> list[Content]:
    length_us = max(0, camera.to_us - camera.from_us)
    days = (
        format.days(length_us / format.DAY_US) if length_us >= format.DAY_US else format.duration(length_us)
    )
    dates = f"{format.local_date(camera.from_us, zone)} to {format.local_date(camera.to_us, zone)}"
    size = format.decimal_bytes(camera.bytes)
    goes_on = f"goes on recording on {camera.other_volume}" if camera.other_volume else "RECORDS NOWHERE THEN"
    if not is_erased:
        goes_on = f"should it be lost: {goes_on}"
    evidence = f"{format.decimal_bytes(camera.locked_bytes)} LOCKED, " if camera.locked_bytes else ""
    return [
        Content.assemble("  ", (camera.camera, "bold"), f"  {days} ({dates}), {size}"),
        Content.assemble(
            "    ",
            (evidence, "bold $text-error"),
            (goes_on, "" if camera.other_volume else "bold $text-error"),
        ),
    ]


def command_lines(plan: OperationPlan) -> list[Content]:
    """What would run, as it would be typed."""
    lines = [Content(""), Content.styled("Commands", "bold $text-accent")]
    if not plan.commands:
        return [*lines, Content.styled("  none: the engine does it by itself", "dim")]
    for command in plan.commands:
        lines.append(Content(f"  {format.harmless(command.text)}"))
        if command.note:
            lines.append(Content.styled(f"    {command.note}", "dim"))
    return lines

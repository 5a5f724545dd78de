"""A controller's physical drives as the inventory names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage.raid.inventory import Drive
from storage.raid.megaraid.addresses import SlotAddress, slot_of_row
from storage.raid.megaraid.storcli_json import (
    as_rows,
    section,
    size_bytes,
    temperature_c,
    text,
    whole,
    yes,
)
from storage.raid.states import DriveKind, DriveState, SpareKind

STATES: Mapping[str, DriveState] = {
    "Onln": DriveState.ONLINE,
    "UGood": DriveState.UNCONFIGURED_GOOD,
    "UBad": DriveState.UNCONFIGURED_BAD,
    "UBUnsp": DriveState.UNCONFIGURED_BAD,
    "UGUnsp": DriveState.UNCONFIGURED_BAD,
    "GHS": DriveState.HOT_SPARE,
    "DHS": DriveState.HOT_SPARE,
    "Failed": DriveState.FAILED,
    "Offln": DriveState.OFFLINE,
    "Rbld": DriveState.REBUILD,
    "Msng": DriveState.MISSING,
    "Cpybck": DriveState.COPYBACK,
    "CBShld": DriveState.SHIELD,
    "UGShld": DriveState.SHIELD,
    "HSPShld": DriveState.SHIELD,
    "CFShld": DriveState.SHIELD,
    "Frgn": DriveState.FOREIGN,
    "JBOD": DriveState.PROTECTED,
    "Onln(JBOD)": DriveState.PROTECTED,
    "Conf": DriveState.ONLINE,
    "": DriveState.PROTECTED,
}
"""The abbreviations at the foot of storcli's own tables (row VD-13..22 for the words)."""

_CAUSES: Mapping[str, str] = {
    "UBad": "the controller could not use it",
    "UBUnsp": "the controller does not support it",
    "UGUnsp": "the controller does not support it",
    "Failed": "the controller has marked it failed",
    "Offln": "taken out of its virtual drive; its data is not valid any more",
    "Msng": "not in its bay",
    "JBOD": "given to the operating system as it is, not to a virtual drive",
    "": "given to the operating system as it is, not to a virtual drive",
    "CBShld": "under diagnosis by the controller",
    "UGShld": "under diagnosis by the controller",
    "HSPShld": "under diagnosis by the controller",
    "CFShld": "under diagnosis by the controller",
}
_KINDS = {"HDD": DriveKind.HDD, "SSD": DriveKind.SSD}


def drive_of(
    controller: int, row: Mapping[str, Any], details: Mapping[str, Any]
) -> tuple[SlotAddress, Drive] | None:
    """One row of a drive list, and its `Detailed Information`. None for a row without a slot."""
    slot = slot_of_row(controller, row.get("EID:Slt", row.get("EID:Slot")))
    if slot is None:
        return None
    state_fields = _part(details, " State")
    attributes = _part(details, " Device attributes")
    settings = _part(details, " Policies/Settings")
    word = text(row.get("State"))
    is_foreign = text(row.get("DG")).upper() == "F"
    state = DriveState.FOREIGN if is_foreign else STATES.get(word, DriveState.UNCONFIGURED_BAD)
    cause = _CAUSES.get(word, "") if word in STATES else f"the controller calls it {word!r}"
    model = text(attributes.get("Model Number")) or text(row.get("Model"))
    serial = text(attributes.get("SN"))
    wwn = text(attributes.get("WWN")).casefold().removeprefix("0x")
    interface = text(row.get("Intf"))
    kind = (
        DriveKind.NVME
        if interface.casefold() == "nvme"
        else _KINDS.get(text(row.get("Med")), DriveKind.UNKNOWN)
    )
    spare = {"GHS": SpareKind.GLOBAL, "DHS": SpareKind.DEDICATED}.get(word)
    return slot, Drive(
        id=_id(wwn, model, serial, slot),
        place=slot.place,
        controller=f"c{controller}",
        kind=kind,
        interface=interface,
        vendor=text(attributes.get("Manufacturer Id")),
        model=model,
        serial=serial,
        wwn=f"0x{wwn}" if wwn else "",
        firmware=text(attributes.get("Firmware Revision")),
        size_bytes=size_bytes(attributes.get("Raw size")) or size_bytes(row.get("Size")),
        coerced_bytes=size_bytes(attributes.get("Coerced size")) or size_bytes(row.get("Size")),
        sector_bytes=size_bytes(row.get("SeSz")) or 512,
        state=state,
        cause="carries the configuration of another controller" if is_foreign else cause,
        spare=spare,
        spare_groups=_spare_groups(controller, row, settings) if spare is SpareKind.DEDICATED else (),
        has_affinity=yes(settings.get("Enclosure Affinity")),
        foreign=f"c{controller}-foreign" if is_foreign else "",
        media_errors=whole(state_fields.get("Media Error Count")) or 0,
        is_predicted_to_fail=yes(state_fields.get("S.M.A.R.T alert flagged by drive"))
        or bool(whole(state_fields.get("Predictive Failure Count"))),
        temperature_c=temperature_c(state_fields.get("Drive Temperature")),
    )


def _id(wwn: str, model: str, serial: str, slot: SlotAddress) -> str:
    if wwn.strip("0"):
        return f"wwn-0x{wwn}"
    return f"{model}:{serial}" if serial else slot.place


def _part(details: Mapping[str, Any], ending: str) -> dict[str, Any]:
    found: Any = next((value for key, value in details.items() if key.endswith(ending)), {})
    return found if isinstance(found, dict) else {}


def _spare_groups(controller: int, row: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[str, ...]:
    said = text(settings.get("Dedicated Hot Spare for DGs")) or text(row.get("DG"))
    return tuple(f"c{controller}-dg{part.strip()}" for part in said.split(",") if part.strip().isdecimal())


def drives_of(controller: int, fields: dict[str, Any]) -> dict[SlotAddress, Drive]:
    """Of `/cN/eall/sall show all`."""
    found: dict[SlotAddress, Drive] = {}
    for key, value in fields.items():
        if not key.startswith("Drive /c") or key.endswith("Detailed Information"):
            continue
        details = section(fields, f"{key} - Detailed Information")
        for row in as_rows(value):
            drive = drive_of(controller, row, details if isinstance(details, dict) else {})
            if drive is not None:
                found[drive[0]] = drive[1]
    return found

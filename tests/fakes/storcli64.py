"""A FAKE storcli64: a small RAID controller in memory that answers in the shapes of the real captures.

The real program is the maker's and not free, so no test can run it. What is known of it comes from captures; states that nobody has
published (Rbld, Msng, GHS, Cpybck in JSON) are made up from the text tables and the shapes of the others, and are marked SYNTHETIC
below. It is a `Runner`, and a program: `python -m tests.fakes.storcli64 STATE /c0 show J`.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from storage.command import Completed

TIB = 1024**4
REAL_LEVELS = {
    "raid0": 0,
    "raid1": 1,
    "raid5": 1,
    "raid6": 2,
    "raid10": 1,
    "raid50": 1,
    "raid60": 2,
    "raid00": 0,
}


@dataclass
class FakeDrive:
    slot: int
    serial: str
    sectors: int = 8 * 10**9
    state: str = "UGood"
    group: int | None = None
    row: int | None = None
    span: int = 0
    progress: int | None = None
    target: int | None = None
    media_errors: int = 0
    smart_alert: bool = False
    temperature: int = 31
    is_foreign: bool = False
    dedicated: list[int] = field(default_factory=list)


@dataclass
class FakeArray:
    number: int
    level: str
    name: str
    span_of: int
    places: list[int | None]
    """Slots in order of span and row; None = missing."""
    strip: int = 256
    operation: str = ""
    progress: int = 0


class FakeStorcli:
    """One controller /c0 with one enclosure 252 of eight slots."""

    def __init__(self, drives: int = 8) -> None:
        self.drives = {slot: FakeDrive(slot, f"ZL2A{slot:04}") for slot in range(drives)}
        self.arrays: dict[int, FakeArray] = {}
        self.rates = {"rebuildrate": 30, "ccrate": 30, "bgirate": 30, "prrate": 30, "migraterate": 30}
        self.is_alarm_on = True
        self.is_patrolling = False
        self.ran: list[str] = []

    # -- what happens to the steel -----------------------------------------------------------------------

    def pull(self, slot: int) -> FakeDrive:
        drive = self.drives.pop(slot)
        if drive.group is not None:
            array = self.arrays[drive.group]
            array.places = [None if place == slot else place for place in array.places]
        return drive

    def insert(self, drive: FakeDrive) -> None:
        self.drives[drive.slot] = drive

    def fail(self, slot: int) -> None:
        self.drives[slot].state = "Failed"

    def finish(self) -> None:
        """All background work is done."""
        for drive in self.drives.values():
            if drive.state in ("Rbld", "Cpybck"):
                drive.state, drive.progress = "Onln", None
        for array in self.arrays.values():
            array.operation, array.progress = "", 0
        self.is_patrolling = False

    # -- the program -------------------------------------------------------------------------------------

    def __call__(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        assert argv[0] == "storcli64"
        assert argv[-1] == "J", "without J it answers in text"
        words = " ".join(argv[1:-1])
        self.ran.append(words)
        status, data = self._answer(words)
        failed = {"Drive": words.split()[0], "Status": "Failure", "ErrCd": 255, "ErrMsg": status}
        head: dict[str, Any] = {
            "CLI Version": "007.2408.0000.0000 Nov 15, 2022",
            "Operating system": "Linux 6.1.0",
            "Controller": 0,
            "Status": "Failure" if status else "Success",
            "Description": f"{words.split()[-1]} Failed." if status else "None",
        }
        if status:
            head["Detailed Status"] = [failed]
        part: dict[str, Any] = {"Command Status": head}
        if data is not None:
            part["Response Data"] = data
        output = json.dumps({"Controllers": [part]}).encode()
        return Completed(argv=tuple(argv), status=255 if status else 0, output=output, errors=b"")

    def _answer(self, words: str) -> tuple[str, Any]:
        for pattern, method in _COMMANDS:
            if match := re.fullmatch(pattern, words):
                found: tuple[str, Any] = getattr(self, method)(*match.groups())
                return found
        return "Un-supported Command", None

    # -- showing -----------------------------------------------------------------------------------------

    def _overview(self) -> tuple[str, Any]:
        return "", {
            "Number of Controllers": 1,
            "System Overview": [
                {"Ctl": 0, "Model": "AOC-S3916L-H16iR", "PDs": len(self.drives), "Hlth": "Opt"}
            ],
        }

    def _show(self) -> tuple[str, Any]:
        return "", {
            "Product Name": "AOC-S3916L-H16iR",
            "TOPOLOGY": [row for array in self.arrays.values() for row in self._topology(array)],
            "Physical Drives": len(self.drives),
            "Virtual Drives": len(self.arrays),
            "PD LIST": [self._row(drive) for drive in self.drives.values()],
        }

    def _show_all(self) -> tuple[str, Any]:
        names = ("Rebuild Rate", "Check Consistency Rate", "BGI Rate", "PR Rate", "Reconstruction Rate")
        return "", {
            "Basics": {"Model": "AOC-S3916L-H16iR", "Serial Number": "SKC0000001"},
            "Version": {"Firmware Package Build": "52.20.0-4000"},
            "Status": {"Controller Status": "Optimal"},
            "Policies": {
                "Policies Table": [
                    {"Policy": name, "Current": f"{value} %", "Default": "30%"}
                    for name, value in zip(names, self.rates.values(), strict=True)
                ]
            },
            "Cachevault_Info": [{"Model": "CVPM05", "State": "Optimal", "Temp": "31C"}],
        }

    def _topology(self, array: FakeArray) -> list[dict[str, Any]]:
        common = {
            "DG": array.number,
            "Type": array.level.upper(),
            "State": self._word(array),
            "EID:Slot": "-",
            "Row": "-",
        }
        rows = [{**common, "Arr": "-"}]
        for span in range(len(array.places) // array.span_of):
            rows.append({**common, "Arr": span})
            for row in range(array.span_of):
                slot = array.places[span * array.span_of + row]
                drive = self.drives.get(slot) if slot is not None else None
                rows.append(
                    {
                        "DG": array.number,
                        "Arr": span,
                        "Row": row,
                        "EID:Slot": f"252:{slot}" if drive else "-",
                        "Type": "DRIVE",
                        "State": drive.state if drive else "Msng",  # SYNTHETIC
                    }
                )
        return rows

    def _word(self, array: FakeArray) -> str:
        tolerance = REAL_LEVELS[array.level]
        worst = max(
            sum(
                slot is None or self.drives[slot].state not in ("Onln", "Cpybck")
                for slot in array.places[start : start + array.span_of]
            )
            for start in range(0, len(array.places), array.span_of)
        )
        if worst == 0:
            return "Optl"
        if worst > tolerance:
            return "OfLn"
        return "Pdgd" if worst < tolerance else "Dgrd"

    def _row(self, drive: FakeDrive) -> dict[str, Any]:
        return {
            "EID:Slt": f"252:{drive.slot}",
            "DID": drive.slot,
            "State": drive.state,
            "DG": "F" if drive.is_foreign else ("-" if drive.group is None else drive.group),
            "Size": f"{drive.sectors * 512 / TIB:.3f} TB",
            "Intf": "SATA",
            "Med": "HDD",
            "SeSz": "512B",
            "Model": "ST4000NM002A",
            "Sp": "U",
            "Type": "-",
        }

    def _drives(self) -> tuple[str, Any]:
        data: dict[str, Any] = {}
        for drive in self.drives.values():
            name = f"Drive /c0/e252/s{drive.slot}"
            size = f"{drive.sectors * 512 / TIB:.3f} TB [{drive.sectors:#x} Sectors]"
            settings = (
                {"Dedicated Hot Spare for DGs": ",".join(map(str, drive.dedicated))}
                if drive.dedicated
                else {}
            )
            data[name] = [self._row(drive)]
            data[f"{name} - Detailed Information"] = {
                f"{name} State": {
                    "Shield Counter": 0,
                    "Media Error Count": drive.media_errors,
                    "Drive Temperature": f" {drive.temperature}C ({drive.temperature * 9 / 5 + 32:.2f} F)",
                    "Predictive Failure Count": 0,
                    "S.M.A.R.T alert flagged by drive": "Yes" if drive.smart_alert else "No",
                },
                f"{name} Device attributes": {
                    "SN": f"     {drive.serial}",
                    "Manufacturer Id": "ATA     ",
                    "Model Number": "ST4000NM002A",
                    "WWN": f"5000C500{zlib.crc32(drive.serial.encode()):08X}",
                    "Firmware Revision": "TN05",
                    "Raw size": size,
                    "Coerced size": size,
                },
                f"{name} Policies/Settings": settings,
            }
        return ("", data) if data else ("No drive found!", None)

    def _volumes(self) -> tuple[str, Any]:
        data: dict[str, Any] = {}
        for array in self.arrays.values():
            shown = f"{array.operation} ({array.progress}%)" if array.operation else "None"
            data[f"/c0/v{array.number}"] = [
                {
                    "DG/VD": f"{array.number}/{array.number}",
                    "TYPE": array.level.upper(),
                    "State": self._word(array),
                    "Access": "RW",
                    "Consist": "Yes",
                    "Cache": "RWBD",
                    "Size": "10.914 TB",
                    "Name": array.name,
                }
            ]
            data[f"VD{array.number} Properties"] = {
                "Strip Size": f"{array.strip} KB",
                "Number of Blocks": 23_437_500_000,
                "Active Operations": shown,
                "SCSI NAA Id": f"600605b00cb1675024eecd050ebf68c{array.number}",
            }
        return ("", data) if data else ("No VD's have been configured.", None)

    def _progress(self, slot: str, kind: str) -> tuple[str, Any]:
        drive = self.drives[int(slot)]
        is_on = drive.state == {"rebuild": "Rbld", "copyback": "Cpybck"}[kind]
        return "", [  # SYNTHETIC: the shape is that of a drive erase
            {
                "Drive-ID": f"/c0/e252/s{slot}",
                "Progress%": drive.progress if is_on else "-",
                "Status": "In progress" if is_on else "Not in progress",
                "Estimated Time Left": "1 Hours 5 Minutes" if is_on else "-",
            }
        ]

    def _patrol_state(self) -> tuple[str, Any]:
        state = "Active 12" if self.is_patrolling else "Stopped"
        return "", {
            "Controller Properties": [
                {"Ctrl_Prop": "PR Mode", "Value": "Auto"},
                {"Ctrl_Prop": "PR Current State", "Value": state},
            ]
        }

    # -- acting ------------------------------------------------------------------------------------------

    def _add(
        self, level: str, name: str, drives: str, per: str | None, strip: str, spares: str | None
    ) -> tuple[str, Any]:
        slots = [int(part.partition(":")[2]) for part in drives.split(",")]
        if any(self.drives[slot].state != "UGood" for slot in slots):
            return "drive is not unconfigured good", None
        number = max(self.arrays, default=-1) + 1
        span_of = int(per) if per else (2 if level == "raid10" else len(slots))
        self.arrays[number] = FakeArray(number, level, name, span_of, list(slots), int(strip))
        for index, slot in enumerate(slots):
            drive = self.drives[slot]
            drive.state, drive.group, drive.span, drive.row = (
                "Onln",
                number,
                index // span_of,
                index % span_of,
            )
        for part in spares.split(",") if spares else []:
            spare = self.drives[int(part.partition(":")[2])]
            spare.state, spare.dedicated = "DHS", [number]
        return "", None

    def _delete(self, number: str) -> tuple[str, Any]:
        array = self.arrays.pop(int(number))
        for slot in array.places:
            if slot is not None:
                self.drives[slot].state, self.drives[slot].group = "UGood", None
        return "", None

    def _spare(self, slot: str, groups: str | None, affinity: str | None) -> tuple[str, Any]:
        drive = self.drives[int(slot)]
        drive.state = "DHS" if groups else "GHS"  # SYNTHETIC in JSON
        drive.dedicated = [int(part) for part in groups.split(",")] if groups else []
        return "", None

    def _no_spare(self, slot: str) -> tuple[str, Any]:
        self.drives[int(slot)].state = "UGood"
        return "", None

    def _insert(self, slot: str, group: str, span: str, row: str) -> tuple[str, Any]:
        array, drive = self.arrays[int(group)], self.drives[int(slot)]
        index = int(span) * array.span_of + int(row)
        if array.places[index] is not None:
            return "row is not missing", None
        array.places[index] = drive.slot
        drive.state, drive.group, drive.span, drive.row = "Offln", array.number, int(span), int(row)
        return "", None

    def _on_drive(self, slot: str, verb: str, kind: str) -> tuple[str, Any]:
        drive = self.drives[int(slot)]
        if verb == "start" and kind == "rebuild":
            drive.state, drive.progress = "Rbld", 0
        elif verb == "stop":
            drive.state, drive.progress = "Offln", None
        return "", None

    def _copyback(self, slot: str, target: str) -> tuple[str, Any]:
        goal = self.drives[int(target.rpartition(":")[2])]
        goal.state, goal.progress = "Cpybck", 0
        return "", None

    def _set(self, slot: str, word: str) -> tuple[str, Any]:
        drive = self.drives[int(slot)]
        if word == "missing" and drive.group is not None:
            array = self.arrays[drive.group]
            array.places = [None if place == drive.slot else place for place in array.places]
            drive.state, drive.group = "UBad", None
        else:
            drive.state = {"offline": "Offln", "good": "UGood"}.get(word, drive.state)
        return "", None

    def _on_volume(self, number: str, verb: str, kind: str) -> tuple[str, Any]:
        self.arrays[int(number)].operation = "Consistency Check" if verb == "start" else ""
        return "", None

    def _migrate(self, number: str, level: str, drives: str | None) -> tuple[str, Any]:
        array = self.arrays[int(number)]
        array.operation, array.level = "Reconstruction", level
        return "", None

    def _patrol(self, verb: str) -> tuple[str, Any]:
        self.is_patrolling = verb in ("start", "resume")
        return "", None

    def _rate(self, name: str, value: str) -> tuple[str, Any]:
        self.rates[name] = int(value)
        return "", None

    def _foreign(self, verb: str) -> tuple[str, Any]:
        for drive in self.drives.values():
            drive.is_foreign = False
        return "", None

    def _quiet(self) -> tuple[str, Any]:
        self.is_alarm_on = False
        return "", None

    def _done(self, *_: str) -> tuple[str, Any]:
        return "", None


_SLOT = r"/c0/e252/s(\d+)"
_COMMANDS = (
    (r"show", "_overview"),
    (r"/c0 show", "_show"),
    (r"/c0 show all", "_show_all"),
    (r"/c0/eall/sall show all", "_drives"),
    (r"/c0/vall show all", "_volumes"),
    (rf"{_SLOT} show (rebuild|copyback)", "_progress"),
    (r"/c0 show patrolread", "_patrol_state"),
    (
        r"/c0 add vd type=(\w+) name=(\S+) drives=(\S+)(?: pdperarray=(\d+))? strip=(\d+)(?: spares=(\S+))?",
        "_add",
    ),
    (r"/c0/v(\d+) del", "_delete"),
    (rf"{_SLOT} add hotsparedrive(?: dgs=(\S+))?( enclaffinity)?", "_spare"),
    (rf"{_SLOT} delete hotsparedrive", "_no_spare"),
    (rf"{_SLOT} insert dg=(\d+) array=(\d+) row=(\d+)", "_insert"),
    (rf"{_SLOT} start copyback target=(\S+)", "_copyback"),
    (rf"{_SLOT} (start|stop|pause|resume) (rebuild|copyback)", "_on_drive"),
    (rf"{_SLOT} set (offline|good|missing)", "_set"),
    (rf"{_SLOT} (?:spindown|spinup|start locate|stop locate)", "_done"),
    (r"/c0/v(\d+) (start|stop|pause|resume) (cc|bgi)", "_on_volume"),
    (r"/c0/v(\d+) start migrate type=(\w+)(?: option=add drives=(\S+))?", "_migrate"),
    (r"/c0 (start|stop|pause|resume) patrolread", "_patrol"),
    (r"/c0 set (\w+rate)=(\d+)", "_rate"),
    (r"/c0/fall (import|delete)", "_foreign"),
    (r"/c0 set alarm=silence", "_quiet"),
)


def main(arguments: Sequence[str]) -> int:
    """State in a file, so that it can stand on PATH as a program."""
    file = Path(arguments[0])
    fake = FakeStorcli()
    if file.exists():
        known = json.loads(file.read_text())
        fake.drives = {int(slot): FakeDrive(**drive) for slot, drive in known["drives"].items()}
        fake.arrays = {int(number): FakeArray(**array) for number, array in known["arrays"].items()}
    done = fake(("storcli64", *arguments[1:]), timeout_s=30)
    state = {
        "drives": {slot: asdict(drive) for slot, drive in fake.drives.items()},
        "arrays": {number: asdict(array) for number, array in fake.arrays.items()},
    }
    file.write_text(json.dumps(state))
    sys.stdout.buffer.write(done.output)
    return done.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

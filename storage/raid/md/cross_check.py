"""sysfs against mdstat: two witnesses of one kernel, read one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from storage.raid.md.mdstat import Mdstat
from storage.raid.md.sysfs import MdArray


def disagreements(arrays: Sequence[MdArray], mdstat: Mdstat) -> list[str]:
    """In words; empty when they tell the same about arrays, members and failures. sysfs is believed anyway."""
    found = [f"a line of /proc/mdstat is not understood: {line.strip()}" for line in mdstat.not_understood]
    seen = {array.device for array in arrays if array.members}
    listed = {array.name for array in mdstat.arrays if array.members}
    found += [f"{name} is in sysfs only" for name in sorted(seen - listed)]
    found += [f"{name} is in /proc/mdstat only" for name in sorted(listed - seen)]
    for array in arrays:
        other = mdstat.array(array.device)
        if other is None or array.device not in seen & listed:
            continue
        names = {member.name for member in array.members}
        if names != {member.name for member in other.members}:
            found.append(f"the members of {array.name or array.device} differ")
            continue
        faulty = {member.name for member in array.members if "faulty" in member.states}
        if faulty != {member.name for member in other.members if "F" in member.flags}:
            found.append(f"the failed members of {array.name or array.device} differ")
    return found

"""The RAID levels of the manual as pure functions: how many drives, how much room, how many losses, which state.

Rows RL-01..24, VD-03..07, VD-10, VD-23..27, BG-01..04 and Q-03, Q-04, Q-06 of the feature list. Knows no drive and no
controller: a layout is a tuple of spans, a span a tuple of drive ids (one span for levels 0, 1, 5 and 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from storage.errors import InvalidInput
from storage.raid.states import RaidLevel, VirtualDriveState

KIB: Final = 1024
DEFAULT_STRIPE_BYTES: Final = 256 * KIB
DEFAULT_LEVEL: Final = RaidLevel.RAID5
"""Row RL-21."""
DEFAULT_MEMBERS: Final = 4
"""Drives a virtual drive in the recommended set-up (rows VD-03, VD-05)."""
MAX_SPANS: Final = 8


class LevelRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a level allows and costs; counts are drives in each span."""

    level: RaidLevel
    span_minimum: int
    span_maximum: int = 32
    has_even_spans: bool = False
    minimum_spans: int = 1
    maximum_spans: int = 1
    tolerance: int = 0
    """Drives each span can lose."""
    is_mirrored: bool = False
    parity_drives: int = 0
    """Of each span."""
    counts: str
    """The limits in words."""
    strong: str
    weak: str
    use: str

    @property
    def is_redundant(self) -> bool:
        return self.tolerance > 0

    @property
    def is_spanned(self) -> bool:
        return self.maximum_spans > 1

    @property
    def minimum_drives(self) -> int:
        return self.span_minimum * self.minimum_spans

    @property
    def maximum_drives(self) -> int:
        return self.span_maximum * self.maximum_spans


def _spanned(level: RaidLevel, minimum: int, **more: object) -> LevelRules:
    fields = {"level": level, "span_minimum": minimum, "minimum_spans": 2, "maximum_spans": MAX_SPANS} | more
    return msgspec.convert(fields, LevelRules)


LEVELS: Final[dict[RaidLevel, LevelRules]] = {
    RaidLevel.RAID0: LevelRules(
        level=RaidLevel.RAID0,
        span_minimum=1,
        counts="1 to 32 drives",
        strong="The fastest level; all the room of the drives is yours.",
        weak="No protection: one failed drive loses everything on all of them.",
        use="Large files that exist elsewhere too.",
    ),
    RaidLevel.RAID00: _spanned(
        RaidLevel.RAID00,
        1,
        counts="2 to 8 spans of 1 to 32 drives, 256 in all",
        strong="Joins several RAID 0 groups into one virtual drive: room and spindles add up.",
        weak="No protection: one failed drive loses everything in all spans. It is no safer than RAID 0.",
        use="Large files that exist elsewhere too, on more than 32 drives.",
    ),
    RaidLevel.RAID1: LevelRules(
        level=RaidLevel.RAID1,
        span_minimum=2,
        has_even_spans=True,
        tolerance=1,
        is_mirrored=True,
        counts="2 to 32 drives, an even number",
        strong="Each drive has a complete copy on another; survives one failure.",
        weak="Costs twice the drives; slower while it rebuilds.",
        use="Small databases, system drives.",
    ),
    RaidLevel.RAID5: LevelRules(
        level=RaidLevel.RAID5,
        span_minimum=3,
        tolerance=1,
        parity_drives=1,
        counts="3 to 32 drives",
        strong="Survives one failure for the price of one drive; parity is spread over all drives. Recommended.",
        weak="Small writes are slow, more so without a write cache; slower while it rebuilds.",
        use="Continuous recording; high rates of reads and of random writes.",
    ),
    RaidLevel.RAID6: LevelRules(
        level=RaidLevel.RAID6,
        span_minimum=3,
        tolerance=2,
        parity_drives=2,
        counts="3 to 32 drives",
        strong="Survives any two failures, or one more while it rebuilds.",
        weak="Slow writes; two drives of each set hold parity (P and Q).",
        use="Recordings that must outlive a second failure; many reads, few small writes.",
    ),
    RaidLevel.RAID10: _spanned(
        RaidLevel.RAID10,
        2,
        has_even_spans=True,
        tolerance=1,
        is_mirrored=True,
        counts="2 to 8 spans of an even number of drives each; 4 to 32 in multiples of 4 by the manual's table",
        strong="Mirrors, striped: fast, and survives one failure in each mirror.",
        weak="Costs twice the drives; two failures in the same mirror lose everything.",
        use="Medium databases; small random writes.",
    ),
    RaidLevel.RAID50: _spanned(
        RaidLevel.RAID50,
        3,
        tolerance=1,
        parity_drives=1,
        counts="2 to 8 spans of 3 to 32 drives",
        strong="Several RAID 5 sets, striped: survives one failure in each set. Best as two sets.",
        weak="Two to eight times the parity drives of RAID 5; two failures in one set lose everything.",
        use="High rates and reliability on many drives, more than 32 too.",
    ),
    RaidLevel.RAID60: _spanned(
        RaidLevel.RAID60,
        3,
        tolerance=2,
        parity_drives=2,
        counts="2 to 8 spans of 3 to 32 drives",
        strong="Several RAID 6 sets, striped: survives two failures in each set. Best as two sets.",
        weak="Poor at small writes; two parity drives in each set.",
        use="The highest reliability on many drives, with large files and many reads.",
    ),
}


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What one family of controllers allows on top (rows RL-20, VD-23)."""

    name: str
    levels: tuple[RaidLevel, ...] = tuple(RaidLevel)
    stripes: tuple[int, int] = (64 * KIB, 1024 * KIB)
    maximum_drives: int | None = None
    maximum_virtual_drives: int | None = None
    most_of_level: dict[RaidLevel, int] = {}
    """Drives of a level where it takes fewer than the manual says."""

    @property
    def stripe_sizes(self) -> tuple[int, ...]:
        """Powers of two, in bytes."""
        smallest, largest = self.stripes
        return tuple(1 << n for n in range(largest.bit_length()) if smallest <= 1 << n <= largest)


MEGARAID: Final = Profile(name="MegaRAID")
INTEGRATED_MEGARAID: Final = Profile(name="Integrated MegaRAID", stripes=(64 * KIB, 64 * KIB))
LSISAS2108: Final = Profile(name="LSISAS2108", stripes=(8 * KIB, 1024 * KIB))
MEGASR: Final = Profile(
    name="MegaSR",
    levels=(RaidLevel.RAID0, RaidLevel.RAID1, RaidLevel.RAID5, RaidLevel.RAID10),
    maximum_drives=8,
    maximum_virtual_drives=8,
)
LINUX_MD: Final = Profile(name="Linux md", most_of_level={RaidLevel.RAID1: 2})
"""A mirror of more than two drives is one of many copies there, not of pairs: RAID 10 is what the manual means."""
PROFILES: Final = {"md": LINUX_MD}
"""By back-end; others are as MEGARAID."""

# -- layouts ---------------------------------------------------------------------------------------------


def check_layout(
    level: RaidLevel,
    spans: Sequence[Sequence[str]],
    sizes: Mapping[str, int],
    stripe_bytes: int = DEFAULT_STRIPE_BYTES,
    profile: Profile = MEGARAID,
) -> tuple[str, ...]:
    """Raises InvalidInput when the level cannot be made like this; returns notes on what is allowed but not good.

    `sizes` are the coerced bytes of each drive.
    """
    rules = LEVELS[level]
    drives = [drive for span in spans for drive in span]
    if level not in profile.levels:
        raise InvalidInput(
            f"a {profile.name} controller has no RAID {level}",
            f"choose one of RAID {', '.join(profile.levels)}",
        )
    _check_spans(rules, [len(span) for span in spans])
    _check_most(level, len(drives), profile)
    if len(set(drives)) != len(drives):
        twice = next(drive for drive in drives if drives.count(drive) > 1)
        raise InvalidInput(f"{twice} is named twice", "name each drive once")
    if profile.maximum_drives is not None and len(drives) > profile.maximum_drives:
        raise InvalidInput(
            f"a {profile.name} controller takes {profile.maximum_drives} drives, {len(drives)} are named",
            "name fewer",
        )
    if stripe_bytes not in profile.stripe_sizes:
        allowed = ", ".join(str(size // KIB) for size in profile.stripe_sizes)
        raise InvalidInput(f"a stripe of {stripe_bytes} bytes cannot be used", f"choose one of {allowed} KiB")
    return _notes(rules, spans, sizes)


def _check_spans(rules: LevelRules, counts: Sequence[int]) -> None:
    title = f"RAID {rules.level}"
    remedy = f"{title} takes {rules.counts}"
    if not rules.minimum_spans <= len(counts) <= rules.maximum_spans:
        spans = f"{rules.minimum_spans} to {rules.maximum_spans} spans" if rules.is_spanned else "one span"
        raise InvalidInput(f"{title} has {spans}, not {len(counts)}", remedy)
    for count in counts:
        if not rules.span_minimum <= count <= rules.span_maximum:
            where = " in a span" if rules.is_spanned else ""
            raise InvalidInput(f"{title} cannot be made of {_drives(count)}{where}", remedy)
        if rules.has_even_spans and count % 2:
            raise InvalidInput(f"{title} mirrors pairs: {_drives(count)} cannot be paired", remedy)
    if len(set(counts)) > 1:
        raise InvalidInput(
            f"the spans of {title} have {', '.join(str(count) for count in counts)} drives",
            "give each span the same number of drives",
        )


def _check_most(level: RaidLevel, count: int, profile: Profile) -> None:
    most = profile.most_of_level.get(level)
    if most is not None and count > most:
        raise InvalidInput(
            f"RAID {level} has {_drives(most)} on {profile.name}, not {count}",
            "use RAID 10 for more" if level is RaidLevel.RAID1 else "name fewer",
        )


def _notes(rules: LevelRules, spans: Sequence[Sequence[str]], sizes: Mapping[str, int]) -> tuple[str, ...]:
    notes: list[str] = []
    total = sum(len(span) for span in spans)
    if rules.level is RaidLevel.RAID10 and (total % 4 or total > 32):
        notes.append(
            f"RAID 10 of {total} drives is allowed by the manual's text, but not in its table (4 to 32 in multiples of 4)"
        )
    if rules.parity_drives == 2 and any(len(span) == 3 for span in spans):
        notes.append("RAID 6 of three drives holds one drive of data: a fourth would double it")
    if not rules.is_redundant and total > 1:
        notes.append(f"RAID {rules.level} has no protection: one failed drive loses everything")
    lost_bytes = sum(
        sum(sizes[drive] for drive in span) - len(span) * min(sizes[drive] for drive in span)
        for span in spans
    )
    if lost_bytes:
        notes.append(f"drives of different sizes: {lost_bytes / 1e12:.1f} TB of the larger ones stay unused")
    return tuple(notes)


def level_for(count: int, profile: Profile = MEGARAID) -> dict[RaidLevel, str]:
    """Every level with the reason why `count` drives cannot make it; empty = they can (row RL-01)."""
    found: dict[RaidLevel, str] = {}
    for level, rules in LEVELS.items():
        try:
            if level not in profile.levels:
                raise InvalidInput(f"a {profile.name} controller has no RAID {level}")
            spans = default_spans(level, count)
            if rules.is_spanned and count % spans:
                raise InvalidInput(f"{_drives(count)} cannot be divided evenly into {spans} spans")
            _check_spans(rules, [count // spans] * spans)
            _check_most(level, count, profile)
        except InvalidInput as exc:
            found[level] = exc.what
        else:
            found[level] = ""
    return found


def span_choices(level: RaidLevel, count: int) -> tuple[int, ...]:
    """Into how many spans `count` drives of a level can be divided evenly."""
    rules = LEVELS[level]
    return tuple(
        spans
        for spans in range(rules.minimum_spans, rules.maximum_spans + 1)
        if count % spans == 0
        and rules.span_minimum <= count // spans <= rules.span_maximum
        and not (rules.has_even_spans and count // spans % 2)
    )


def default_spans(level: RaidLevel, count: int) -> int:
    """Two for 50, 60 and 00 (rows RL-15, RL-17; more when two cannot be divided evenly); mirrors of pairs for RAID 10."""
    rules = LEVELS[level]
    if not rules.is_spanned:
        return 1
    usable = span_choices(level, count)
    if not usable:
        return rules.minimum_spans
    return max(usable) if level is RaidLevel.RAID10 else min(usable)


class SimpleLayout(msgspec.Struct, frozen=True, kw_only=True):
    """Drives divided evenly over virtual drives."""

    level: RaidLevel
    virtual_drives: tuple[tuple[tuple[str, ...], ...], ...]
    """The spans of each."""
    left_over: tuple[str, ...] = ()
    """Too few for one more drive in each; good as hot spares."""


def simple_layout(
    level: RaidLevel, drives: Sequence[str], virtual_drives: int = 0, spans: int = 0
) -> SimpleLayout:
    """The Simple configuration (rows VD-03..07): equal members, in the order given; 0 = what the manual recommends,
    one virtual drive for each four drives, and `default_spans`.

    Raises InvalidInput when the level cannot be made of so many.
    """
    wanted = virtual_drives or max(1, len(drives) // DEFAULT_MEMBERS)
    if wanted < 1 or spans < 0:
        raise InvalidInput("a number of virtual drives or spans below zero", "give 1 or more")
    rules = LEVELS[level]
    members = min(len(drives) // wanted, rules.maximum_drives)
    if rules.is_spanned and spans:
        members -= members % spans
    span_count = (spans if rules.is_spanned else 1) or default_spans(level, members)
    if rules.has_even_spans:
        members -= members % (2 * span_count)
    if members == 0:
        raise InvalidInput(
            f"{_drives(len(drives))} cannot be divided over {wanted} virtual drives",
            f"RAID {level} takes {rules.counts}",
        )
    _check_spans(rules, [members // span_count] * span_count)
    if members % span_count:
        raise InvalidInput(
            f"{_drives(members)} cannot be divided evenly into {span_count} spans",
            f"RAID {level} takes {rules.counts}",
        )
    made = tuple(_cut(drives[index * members : (index + 1) * members], span_count) for index in range(wanted))
    return SimpleLayout(level=level, virtual_drives=made, left_over=tuple(drives[wanted * members :]))


def _cut(drives: Sequence[str], spans: int) -> tuple[tuple[str, ...], ...]:
    size = len(drives) // spans
    return tuple(tuple(drives[start : start + size]) for start in range(0, len(drives), size))


# -- room and losses ---------------------------------------------------------------------------------------


def usable_bytes(level: RaidLevel, span_sizes: Sequence[Sequence[int]]) -> int:
    """Room for data: the coerced sizes of the drives of each span count as its smallest one."""
    return sum(data_drives(level, len(sizes)) * min(sizes) for sizes in span_sizes)


def data_drives(level: RaidLevel, count: int) -> int:
    """Of a span of `count` drives, how many hold data (its stripe width without parity: row VD-24)."""
    rules = LEVELS[level]
    return count // 2 if rules.is_mirrored else count - rules.parity_drives


def parity_drives(level: RaidLevel, spans: int) -> int:
    """Drives whose room goes into parity, in all spans (row RL-15)."""
    return LEVELS[level].parity_drives * spans


def span_can_lose(level: RaidLevel, lost: int) -> int:
    """More drives of a span with `lost` losses before data is lost (row RL-02)."""
    return max(0, LEVELS[level].tolerance - lost)


def can_lose(level: RaidLevel, lost: Sequence[int]) -> int:
    """More drives it can lose for certain, whichever they are; `lost` per span."""
    return min(span_can_lose(level, losses) for losses in lost)


def can_lose_at_best(level: RaidLevel, lost: Sequence[int]) -> int:
    """More drives it can lose when each loss falls into the span that can bear it."""
    if state_of(level, lost) is VirtualDriveState.FAILED:
        return 0
    return sum(span_can_lose(level, losses) for losses in lost)


def state_of_span(level: RaidLevel, lost: int) -> VirtualDriveState:
    """RAID 0 fails at once; Partially Degraded is RAID 6 (and a set of a RAID 60) with exactly one loss (Q-06)."""
    tolerance = LEVELS[level].tolerance
    if lost == 0:
        return VirtualDriveState.ONLINE
    if lost > tolerance:
        return VirtualDriveState.FAILED
    return VirtualDriveState.PARTIALLY_DEGRADED if lost < tolerance else VirtualDriveState.DEGRADED


_WORST_FIRST: Final = (
    VirtualDriveState.FAILED,
    VirtualDriveState.DEGRADED,
    VirtualDriveState.PARTIALLY_DEGRADED,
    VirtualDriveState.ONLINE,
)


def state_of(level: RaidLevel, lost: Sequence[int]) -> VirtualDriveState:
    """Of a virtual drive, from the losses in each span: as its worst span."""
    states = {state_of_span(level, losses) for losses in lost}
    return next(state for state in _WORST_FIRST if state in states)


# -- background work -----------------------------------------------------------------------------------------

_INITIALISES_FROM: Final = {RaidLevel.RAID5: 5, RaidLevel.RAID6: 7}


def initialisation_by_hand(level: RaidLevel, drives: int) -> str:
    """Why background initialisation of a new virtual drive must be started by hand; empty = it starts by itself (BG-04)."""
    needed = _INITIALISES_FROM.get(level, 0)
    return f"starts by itself from {needed} drives on" if drives < needed else ""


def simultaneous_rebuilds(level: RaidLevel) -> int:
    """Rebuilds at a time in one span: RAID 60 two, RAID 6 one after the other (rows RB-08, RB-09)."""
    return 2 if level is RaidLevel.RAID60 else 1


def help_text(level: RaidLevel) -> str:
    """A few lines beside a level picker."""
    rules = LEVELS[level]
    return f"{rules.strong}\n{rules.weak}\nFor: {rules.use}\nTakes {rules.counts}."


def _drives(count: int) -> str:
    return "1 drive" if count == 1 else f"{count} drives"

"""How a file system is laid onto an array: where the partition begins and what mkfs is told, from the kernel's hints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from storage.volumes.block_chain import read_text

LEAST_START_BYTES = 1024 * 1024
"""Where every partitioning tool begins; room for the GPT and for the next larger sector."""
EXT4_BLOCK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Stripe:
    """`chunk_bytes` on each of `width` drives that hold data; width 0 = not striped, or it does not say."""

    sector_bytes: int = 512
    chunk_bytes: int = 0
    width: int = 0

    @property
    def start_bytes(self) -> int:
        """The first whole stripe at or after 1 MiB."""
        full = self.chunk_bytes * self.width
        if not full:
            return LEAST_START_BYTES
        return -(-LEAST_START_BYTES // full) * full

    @property
    def start_sector(self) -> int:
        return self.start_bytes // self.sector_bytes

    def xfs_options(self) -> tuple[str, ...]:
        return ("-d", f"su={self.chunk_bytes},sw={self.width}") if self.width else ()

    def ext4_options(self) -> tuple[str, ...]:
        if not self.width:
            return ()
        stride = self.chunk_bytes // EXT4_BLOCK_BYTES
        return ("-E", f"stride={stride},stripe_width={stride * self.width}")


def read_stripe(disk: Path) -> Stripe:
    """Of the device whose folder below /sys/block this is (md, or a controller's virtual drive that tells)."""
    queue = disk / "queue"
    sector = _number(queue / "logical_block_size") or 512
    chunk, full = _number(queue / "minimum_io_size"), _number(queue / "optimal_io_size")
    is_striped = chunk >= EXT4_BLOCK_BYTES and chunk % EXT4_BLOCK_BYTES == 0 and full > chunk
    if not is_striped or full % chunk or full > 1024**3:
        return Stripe(sector_bytes=sector)
    return Stripe(sector_bytes=sector, chunk_bytes=chunk, width=full // chunk)


def _number(path: Path) -> int:
    text = read_text(path)
    return int(text) if text.isdecimal() else 0

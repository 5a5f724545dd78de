from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.volumes.stripe import Stripe, read_stripe
from tests.storage.drives.fake_machine import FakeMachine


@pytest.mark.parametrize(
    ("least", "best", "start", "xfs", "ext4"),
    [
        ("262144", "524288", 1048576, ("-d", "su=262144,sw=2"), ("-E", "stride=64,stripe_width=128")),
        ("262144", "786432", 1572864, ("-d", "su=262144,sw=3"), ("-E", "stride=64,stripe_width=192")),
        ("4096", "0", 1048576, (), ()),
        ("512", "0", 1048576, (), ()),
        ("65536", "100000", 1048576, (), ()),
        ("65536", "65536", 1048576, (), ()),
    ],
)
def test_the_layout_follows_the_kernels_hints(
    tmp_path: Path, least: str, best: str, start: int, xfs: tuple[str, ...], ext4: tuple[str, ...]
) -> None:
    machine = FakeMachine(tmp_path)
    machine.add_above("md0")
    machine.write(machine.folder("md0"), "queue/minimum_io_size", least)
    machine.write(machine.folder("md0"), "queue/optimal_io_size", best)
    stripe = read_stripe(machine.folder("md0"))
    assert (stripe.start_bytes, stripe.xfs_options(), stripe.ext4_options()) == (start, xfs, ext4)


@given(
    chunk=st.sampled_from([64, 128, 256, 512, 1024]),
    width=st.integers(2, 30),
    sector=st.sampled_from([512, 4096]),
)
def test_a_partition_begins_on_a_whole_stripe_and_a_whole_sector(chunk: int, width: int, sector: int) -> None:
    stripe = Stripe(sector_bytes=sector, chunk_bytes=chunk * 1024, width=width)
    assert stripe.start_bytes % (chunk * 1024 * width) == 0
    assert stripe.start_bytes >= 1024 * 1024
    assert stripe.start_sector * sector == stripe.start_bytes

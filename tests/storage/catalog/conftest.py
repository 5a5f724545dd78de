from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.catalog.db import Catalog
from tests.fakes.clock import FakeClock


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog.db", clock=FakeClock()) as opened:
        yield opened

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fakes.http_receiver import Receiver, http_receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with http_receiver() as receiver:
        yield receiver

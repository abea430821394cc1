"""The stage that the outbox is tested on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.model import DAY
from storage.writer import Writer
from tests.harness import open_store
from tests.outbox.stage import Post


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    made, _ = open_store(tmp_path)
    writer = Writer(made)
    post = Post(tmp_path, writer)
    yield post
    post.clock.advance(9 * DAY)
    await post.sender.stop()
    await writer.close()
    made.dispose()

"""Everything here is shown on both databases."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _on_both(database: str, tidy: None) -> None:
    """See tests/conftest.py."""

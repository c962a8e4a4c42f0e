from __future__ import annotations

from pathlib import Path

import pytest
from lab import LabBuilder


@pytest.fixture
def labs(tmp_path: Path) -> LabBuilder:
    return LabBuilder(tmp_path)

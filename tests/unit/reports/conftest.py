"""Run folders to report on; writing one takes half a second, so each is made once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from unit.reports import synthetic_run


@pytest.fixture(scope="session")
def _good_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_run.good_run(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="session")
def _bad_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_run.bad_run(tmp_path_factory.mktemp("bad"))


@pytest.fixture
def good(_good_once: Path, tmp_path: Path) -> Path:
    """Two calls that passed."""
    return Path(shutil.copytree(_good_once, tmp_path / synthetic_run.RUN_ID))


@pytest.fixture
def bad(_bad_once: Path, tmp_path: Path) -> Path:
    """Calls that went wrong in four ways."""
    return Path(shutil.copytree(_bad_once, tmp_path / "bad" / synthetic_run.RUN_ID))

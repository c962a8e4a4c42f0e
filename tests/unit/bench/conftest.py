from __future__ import annotations

from pathlib import Path

import pytest
from rig_standin import STATION, StandInEnd

from offhook.bench import station, station_file


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> StandInEnd:
    end = StandInEnd()
    for module in (station, station_file):
        monkeypatch.setattr(module, "ends", lambda: {"standin": end})
    return end


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OFFHOOK_LOCKS", str(tmp_path / "locks"))
    file = tmp_path / "small.toml"
    file.write_text(STATION)
    return file

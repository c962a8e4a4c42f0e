"""The instruments station in its far-end process, once for all tests of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offhook.bench.station import Rig, open_rig
from offhook.bench.station_file import find_station


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OFFHOOK_LOCKS", str(tmp_path_factory.mktemp("locks")))
        with open_rig("instruments", on_safe=lambda report: None) as rig:
            yield rig


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """``station(meter={ "late_s": 1.0 }, replace={"SIM-meter": "7"})``: the shipped one, changed; returns its path."""
    monkeypatch.setenv("OFFHOOK_LOCKS", str(tmp_path))

    def changed(replace: dict[str, str] | None = None, **options: dict[str, object]) -> str:
        text = find_station("instruments").read_text("utf-8")
        for old, new in (replace or {}).items():
            assert old in text
            text = text.replace(old, new)
        for name, wish in options.items():
            old = f"{name} = {{ "
            assert old in text
            said = ", ".join(
                f"{key} = {str(value).lower() if value is True else value!r}" for key, value in wish.items()
            )
            text = text.replace(old, f"{old}{said}, ", 1)
        file = tmp_path / "changed.toml"
        file.write_text(text, "utf-8")
        return str(file)

    return changed

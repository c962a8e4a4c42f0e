"""A role that claims as real what is simulated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from offhook.bench.station_file import find_station, load_station
from offhook.bench.station_mistakes import StationError


@pytest.mark.parametrize(
    ("role", "real", "words"),
    [
        ("R2", (), "R2 claims a real PBX and real phones, and audio.rack.link is simulated (end://rack) (try: "),
        ("R3", (), "R3 claims a real cloud, and cloud.url is simulated (end://cloud)"),
        ("R4", ("end://cloud",), "R4 claims that everything is real, and "),
        ("R3", ("end://cloud",), ""),
        ("R5", (), ""),
    ],
)
def test_a_role_does_not_claim_what_is_simulated(tmp_path: Path, role: str, real: tuple[str, ...], words: str) -> None:
    text = find_station("simulated").read_text("utf-8").replace('role   = "R1"', f'role   = "{role}"')
    for address in real:
        text = text.replace(f'"{address}"', '"https://cloud.example"')
    text = re.sub(r'"(alice-pw|bob-pw|admin-token)"', '"env:HOME"', text) if real else text
    file = tmp_path / "lab.toml"
    file.write_text(text)
    if not words:
        assert load_station(file).model.role == role
        return

    with pytest.raises(StationError) as caught:
        load_station(file)

    [(line, mistake)] = caught.value.mistakes
    assert text.splitlines()[line - 1].startswith("role ")
    assert str(mistake).startswith(f"role: {words}")

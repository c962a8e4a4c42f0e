"""Every refusal has its reason; the digits are those of decode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.dsp.trials import noise, sines, trial

from offhook import dsp
from offhook.dsp import profiles

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "level": ({"level_low_dbm0": -43, "level_high_dbm0": -42}, "dBm0 is below -41.0"),
    "twist": ({"level_low_dbm0": -25, "level_high_dbm0": -10}, "high 15.0 dB stronger than low is more than 6.6"),
    "frequency": ({"high_offset_percent": 3.0}, "high tone is off by"),
    "duration": ({"on_s": 0.022}, "is shorter than 30.5 ms"),
}


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.req("DTMF-DEC.10")
def test_reasons(kind: str) -> None:
    overrides, words = CASES[kind]
    made = dsp.encode_spans("159D", lead_s=0.1, edge_s=0.001, **overrides)
    digits, refused = dsp.explain(made.samples)
    assert len(digits) == 0
    assert [row.key for row in refused] == ["1", "5", "9", "D"]
    for row, span in zip(refused, made.spans, strict=True):
        assert row.kind == kind
        assert words in row.reason
        assert abs(row.end_s - span.stop / 8000) < 0.012


@pytest.mark.req("DTMF-DEC.10")
def test_a_voice_is_a_residue() -> None:
    made = dsp.encode_spans("5", on_s=0.2, lead_s=0.1)
    partials = sines([180, 360, 540, 1080, 1800, 1980, 2340], -17.0, 1.0)[: len(made.samples)]
    digits, refused = dsp.explain(made.samples + partials)
    assert len(digits) == 0
    assert {row.kind for row in refused} <= {"residue", "energy"}
    assert refused


def test_an_echo_is_named() -> None:
    made = dsp.encode_spans("5", on_s=0.06, lead_s=0.1, off_s=0.2)
    heard = made.samples.copy()
    heard[560:] += 0.3 * made.samples[:-560]
    digits, refused = dsp.explain(heard)
    assert digits.text() == "5"
    assert "echo" in {row.kind for row in refused}


def test_same_digits_as_decode_and_silence_has_no_reasons() -> None:
    made = trial(2)
    x = made.samples + noise(len(made.samples), 1e-4, 2)
    digits, refused = dsp.explain(np.stack((x, 0 * x)))
    assert digits.texts() == dsp.decode(np.stack((x, 0 * x))).texts() == [dsp.decode(x).text(), ""]
    assert refused == []
    assert dsp.explain(np.zeros(0)) == (digits, []) or len(dsp.explain(np.zeros(0))[0]) == 0


def test_custom_nulls() -> None:
    made = trial(1, level_dbm0=-20)
    hum = sines([300.0], -12.0, len(made.samples) / 8000)[: len(made.samples)]
    assert len(dsp.decode(made.samples + hum)) < 16
    custom = profiles.ATT.with_(null_hz=(300.0,))
    assert dsp.decode(made.samples + hum, profile=custom).text() == "".join(span.key for span in made.spans)

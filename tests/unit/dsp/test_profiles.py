"""Every limit of each column of ITU-T Q.24 Annex A, ETSI ES 201 235-3 and the MT8870 class, with that profile."""

from __future__ import annotations

import numpy as np
import pytest
from unit.dsp.trials import MODES, accepts, ignores, trial

from offhook import dsp
from offhook.dsp.profiles import ALL, Profile

EVERY = pytest.mark.parametrize("profile", ALL.values(), ids=lambda profile: profile.name)
pytestmark = pytest.mark.req("DTMF-DEC.6")

# The standards' own numbers: accept %, + Hz, reject %; accept dBm, reject dBm; low over high, high over low dB;
# ignored on ms; separating pause ms; bridged interruption ms.
LIMITS = {
    "ATT": (1.5, 0, 3.5, (-25, 0), -55, 8, 4, 23, 40, 10),
    "NTT": (1.8, 0, 3.0, (-24, -3), -29, 5, 5, 24, 30, 10),
    "Danish": (1.5, 2, None, (-27, -2), -36, 6, 6, 20, 40, 20),
    "Australian": (1.5, 4, 7.0, (-27, -5), -30, 10, 10, 25, 70, 12),
    "Brazilian": (1.8, 0, 3.0, (-25, -3), -50, 9, 9, 20, 30, 10),
    "ETSI": (1.5, 2, None, (-29, 0), None, 6, 6, 20, 40, 10),
    "MT8870": (1.5, 2, 3.5, (-29, 1), None, 8, 8, 20, 40, 10),
}


@EVERY
def test_profiles_state_the_standard(profile: Profile) -> None:
    percent, hz, reject, levels, non_operate, low, high, short_ms, pause_ms, cut_ms = LIMITS[profile.name]
    assert (profile.accept_freq_percent, profile.accept_freq_hz, profile.reject_freq_percent) == (percent, hz, reject)
    assert (profile.accept_level_dbm0, profile.reject_level_dbm0) == (levels, non_operate)
    assert (profile.accept_low_over_high_db, profile.accept_high_over_low_db) == (low, high)
    assert profile.reject_on_s == pytest.approx(short_ms / 1000)
    assert profile.accept_pause_s == pytest.approx(pause_ms / 1000)
    assert profile.accept_interruption_s == pytest.approx(cut_ms / 1000)


def offsets(keys: str, percent: float, hz: float, mode: str) -> dict[str, np.ndarray]:
    """Offsets in percent of each digit's tones for so many percent plus so many Hz."""
    pairs = np.array([dsp.tones.frequencies(key) for key in keys])
    signs = MODES[mode](1.0)
    names = ("low_offset_percent", "high_offset_percent")
    whole = percent + np.sign(percent) * 100 * hz / pairs
    return {name: signs[name] * whole[:, i] for i, name in enumerate(names) if name in signs}


@EVERY
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sign", [1, -1])
def test_frequency(profile: Profile, mode: str, sign: int) -> None:
    percent, hz, reject = LIMITS[profile.name][:3]
    keys = "".join(span.key for span in trial(4, 7).spans)
    accepts(trial(4, 7, **offsets(keys, sign * percent, hz, mode)), profile=profile)
    if reject is not None:
        ignores(trial(4, 7, on_s=0.1, **offsets(keys, sign * reject, 0, mode)), profile=profile)


@EVERY
def test_level(profile: Profile) -> None:
    (lowest, highest), non_operate = LIMITS[profile.name][3:5]
    for level in (lowest, highest, (lowest + highest) / 2):
        accepts(trial(4, 8, level_dbm0=level), profile=profile)
    if non_operate is not None:
        ignores(trial(4, 8, level_dbm0=non_operate, on_s=0.1), profile=profile)


@EVERY
def test_twist(profile: Profile) -> None:
    low, high = LIMITS[profile.name][5:7]
    accepts(trial(4, 9, twist_db=-low, level_dbm0=-14), profile=profile)
    accepts(trial(4, 9, twist_db=high, level_dbm0=-14), profile=profile)


@EVERY
def test_times(profile: Profile) -> None:
    short_ms, pause_ms, cut_ms = LIMITS[profile.name][7:]
    accepts(trial(6, 10, on_s=0.04), profile=profile)
    ignores(trial(8, 10, on_s=short_ms / 1000), profile=profile)
    for key in "1590*D":
        equal = dsp.encode_spans(key * 6, on_s=0.05, off_s=pause_ms / 1000, edge_s=0.001, lead_s=0.1)
        accepts(equal, profile=profile)
    for at_ms in (20, 45, 60):
        made = trial(3, 11, on_s=0.12, off_s=0.1, interruption_at_s=at_ms / 1000, interruption_s=cut_ms / 1000)
        accepts(made, profile=profile)


def test_cycle_of_93_ms() -> None:
    accepts(trial(8, 12, on_s=0.045, off_s=0.040))


def test_named_and_custom() -> None:
    assert dsp.profiles.named("ntt") is dsp.profiles.NTT
    with pytest.raises(ValueError, match="expected one of ATT, NTT, Danish"):
        dsp.profiles.named("Mars")
    strict = dsp.profiles.ATT.with_(max_high_over_low_db=1.0)
    assert strict.name == "custom"
    made = trial(2, 1, twist_db=2.0)
    accepts(made)
    ignores(made, profile=strict)
    for wrong in ({"min_on_s": 0.5}, {"freq_tolerance_percent": 9.0}, {"bridge_s": 0.0}, {"max_low_over_high_db": -1}):
        with pytest.raises(ValueError, match="profile custom"):
            dsp.profiles.ATT.with_(**wrong)

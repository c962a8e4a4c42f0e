"""Seeds, results on disk, limits, claims: with receivers whose faults are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from offhook import dsp
from offhook.bench.characterize import battery, fingerprint, limits, sweeps
from offhook.bench.characterize.campaign import Campaign
from offhook.bench.characterize.limits import Limit, frequency, setter
from offhook.bench.characterize.receivers import open_receiver
from offhook.bench.characterize.stimulus import Condition, line_of, make
from offhook.drivers.errors import ConfigError
from offhook.dsp import stats

STANDINS = "unit.characterize.standins"


def test_a_batch_follows_from_campaign_condition_and_number_alone() -> None:
    condition = Condition(snr_db=20.0, line="echo:20,12+ulaw")
    first = make(condition, 1, 3)
    again = make(Condition(snr_db=20.0, line="echo:20,12+ulaw"), 1, 3)
    assert first.samples.tobytes() == again.samples.tobytes()
    for other in (make(condition, 2, 3), make(condition, 1, 4), make(condition.with_(snr_db=21.0), 1, 3)):
        assert first.sent != other.sent
    assert sorted(first.sent) == sorted("0123456789ABCD*#" * 4)


def test_what_is_sent_is_what_the_condition_says() -> None:
    made = make(Condition(level_dbm0=-20, twist_db=3, low_percent=1.0, on_s=0.06, off_s=0.07), 1, 0)
    found = dsp.decode(made.samples)
    assert found.text() == made.sent
    assert np.median(found.low_dbm0) == pytest.approx(-21.5, abs=0.2)
    assert np.median(found.high_dbm0) == pytest.approx(-18.5, abs=0.2)
    assert np.median(found.end_s - found.start_s) == pytest.approx(0.06, abs=0.002)
    run = make(Condition(repeat=12, off_s=0.05), 1, 0)
    assert all(run.sent[at : at + 12] == run.sent[at] * 12 for at in range(0, 192, 12))
    noisy = make(Condition(snr_db=10.0, keys="5"), 1, 0)
    quiet = make(Condition(keys="5"), 1, 0)
    lead = slice(0, 700)
    noise = np.mean((noisy.samples[lead] / 32768.0) ** 2)
    assert quiet.samples[lead].any() == np.False_
    assert dsp.dbm0(noise) == pytest.approx(-10.0 + 3.01 - 10.0, abs=0.6)


def test_unknown_lines_and_receivers_are_named() -> None:
    with pytest.raises(ValueError, match="fog"):
        line_of("fog:1")
    with pytest.raises(ValueError, match="echo:1"):
        line_of("echo:1")
    for name in ("nobody", "offhook:XYZ", "no.such.module:function", f"{STANDINS}:nothing"):
        with pytest.raises(ConfigError, match="open receiver"):
            open_receiver(name)


def test_results_are_kept_and_not_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [("offhook", Condition()), (f"{STANDINS}:deaf", Condition())]
    with Campaign(tmp_path, seed=3) as campaign:
        first = campaign.run(cells, 2)
        assert (campaign.done, campaign.planned) == (4, 4)
    assert [one.right for one in first] == [128, 0]
    monkeypatch.setattr("offhook.bench.characterize.campaign.run_batch", None)
    with Campaign(tmp_path, seed=3) as campaign:
        assert campaign.run(cells, 2) == first
        assert campaign.planned == 0
    with pytest.raises(ConfigError, match="campaign 3, not 4"):
        Campaign(tmp_path, seed=4)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "results.sqlite").write_text("nonsense " * 100)
    with pytest.raises(ConfigError, match="open results"):
        Campaign(tmp_path / "x", seed=4)


def test_results_of_other_code_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_under_test.py").write_text("def hear(samples, rate):\n    return ''\n")
    monkeypatch.syspath_prepend(tmp_path)
    first = fingerprint.of("mine_under_test:hear")
    (tmp_path / "mine_under_test.py").write_text("def hear(samples, rate):\n    return '1'\n")
    fingerprint.of.cache_clear()
    assert fingerprint.of("mine_under_test:hear") != first
    cells = [(f"{STANDINS}:deaf", Condition())]
    with Campaign(tmp_path / "o") as campaign:
        campaign.run(cells, 1)
    monkeypatch.setattr("offhook.bench.characterize.fingerprint.SOUND", ("encode",))
    fingerprint.of.cache_clear()
    with Campaign(tmp_path / "o") as campaign:
        campaign.run(cells, 1)
        assert campaign.planned == 1
    fingerprint.of.cache_clear()


@pytest.mark.req("DTMF-RX.2")
def test_limits_are_bracketed_where_they_are(tmp_path: Path) -> None:
    one = f"{STANDINS}:to_1_percent"
    walks = [
        Limit("up", "%", 0, 4, 0.1, frequency("both")),
        Limit("down", "%", 0, -4, 0.1, frequency("low")),
        Limit("ignored", "%", 4, 0, 0.1, frequency("both"), "ignore"),
        Limit("level", "dBm0", -10, -40, 1, setter("level_dbm0")),
    ]
    with Campaign(tmp_path) as campaign:
        up, down, ignored, level = limits.find(campaign, [one], walks, 1)
        (loud,) = limits.find(campaign, [f"{STANDINS}:loud_only"], [walks[3]], 1)
        (deaf,) = limits.find(campaign, [f"{STANDINS}:deaf"], [walks[0]], 1)
    for bracket, truth in ((up, 1.0), (down, -1.0), (ignored, 1.0)):
        assert bracket.holds_at == pytest.approx(truth, abs=0.2)
        assert abs((bracket.holds_at or 0) - (bracket.fails_at or 0)) == pytest.approx(0.1)
    assert (level.holds_at, level.fails_at, level.words()) == (-40, None, "beyond -40")
    assert loud.holds_at in (-19, -20)
    assert (deaf.holds_at, deaf.words()) == (None, "none")
    assert up.holds is not None
    assert up.holds.accepted
    assert up.fails is not None
    assert not up.fails.accepted


@pytest.mark.req("DTMF-RX.3")
def test_the_classic_figures_come_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(battery, "PULSES", 128)
    monkeypatch.setattr(battery, "LOW_HZ", (697.0,))
    monkeypatch.setattr(battery, "HIGH_HZ", (1633.0,))
    with Campaign(tmp_path) as campaign:
        (found,) = battery.run(campaign, [f"{STANDINS}:to_1_percent"], 1)
    assert found.decode.share.value == 1.0
    for _, width, offset in found.bands:
        assert width == pytest.approx(2.0, abs=0.3)
        assert offset == pytest.approx(0.0, abs=0.15)
    assert found.low_over_high_db is not None
    assert found.low_over_high_db > 8.0
    assert found.dynamic_range_db is not None
    assert found.dynamic_range_db > 25.0
    assert found.guard_ms is not None
    assert 23.0 < found.guard_ms <= 40.0
    assert [tally.sent for _, tally in found.noise] == [128] * 4


@pytest.mark.req("DTMF-RX.5")
def test_a_claim_ends_when_it_is_certain(tmp_path: Path) -> None:
    plan = stats.Plan.of(0.005, most_errors=1)
    with Campaign(tmp_path) as campaign:
        good = sweeps.claim(campaign, "offhook", plan)
        bad = sweeps.claim(campaign, f"{STANDINS}:drops_every_tenth", plan)
    assert good.verdict == "proven"
    assert good.tally.sent >= plan.sizes[0]
    assert good.bound <= 0.005
    assert bad.verdict == "failed"
    assert bad.tally.sent <= 256 < plan.sizes[0]


@pytest.mark.req("DTMF-RX.6")
def test_a_map_has_a_tally_for_every_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sweeps.AXES, "frequency", sweeps.Axis("frequency", "%", (0.0, 0.5, 3.0), "freq"))
    monkeypatch.setitem(sweeps.AXES, "level", sweeps.Axis("level", "dBm0", (-10.0, -30.0), "level_dbm0"))
    with Campaign(tmp_path) as campaign:
        (found,) = sweeps.maps(campaign, [f"{STANDINS}:loud_only"], [("frequency", "level")], 1, thin=1)
    shares = [[tally.share.value for tally in row] for row in found.tallies]
    assert shares == [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]

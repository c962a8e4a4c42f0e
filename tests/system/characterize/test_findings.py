"""What was found, written down: JSON, CSV, pages, plots and the comparison."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from offhook import dsp
from offhook.bench.characterize import comparison, page, plots, run, sender, sweeps, talkoff
from offhook.bench.characterize.campaign import Campaign
from offhook.bench.characterize.findings import Findings
from offhook.bench.characterize.tally import Tally
from offhook.drivers.errors import ConfigError
from offhook.dsp import impair, measure

STANDINS = "unit.characterize.standins"
TENTH = f"{STANDINS}:drops_every_tenth"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeps, "CONDITIONS", dict(list(sweeps.CONDITIONS.items())[:2]))
        job = run.Job(("offhook", TENTH), ("conditions", "limits"), digits=64, claim=0.05, harsh_minutes=1)
        return run.run(job, tmp_path_factory.mktemp("campaign"), 1)


@pytest.mark.req("DTMF-RX.1")
def test_the_page_shows_rates_with_intervals_and_what_became_of_digits(found: Findings) -> None:
    text = page.html(found)
    assert "57/64 right, 78.8 to 95.5 %" in text  # every tenth of 64 is lost, exact interval by its definition below
    assert '<span class="bad">57/64' in text
    assert "clean, 50/50 ms" in text
    assert "what became of wrong digits" in text
    share = Tally(sent=64, right=57, lost=7).share
    assert (round(100 * share.low, 1), round(100 * share.high, 1)) == (78.8, 95.5)


def test_json_and_csv_hold_every_count(found: Findings) -> None:
    told = json.loads(found.json())
    assert told["conditions"]["A-law"][1]["right"] == 57
    assert found.json() == found.json()
    rows = list(csv.DictReader(io.StringIO(found.csv())))
    tried = sum(len(bracket.tried) for bracket in found.brackets)
    assert len(rows) == 4 + tried + 2
    one = next(row for row in rows if row["section"] == "condition" and row["receiver"] == TENTH)
    assert (one["sent"], one["right"], one["lost"]) == ("64", "57", "7")
    assert float(one["low_95"]) < 57 / 64 < float(one["high_95"])


@pytest.mark.req("DTMF-RX.5")
def test_the_claim_is_proven_or_failed(found: Findings) -> None:
    assert [one.verdict for one in found.claims] == ["proven", "failed"]
    assert any("failed" in line for line in run.summary(found))


def test_the_comparison_is_a_page_with_a_column_for_each(found: Findings) -> None:
    text = comparison.markdown(found)
    assert f"| condition | offhook | {TENTH} |" in text
    assert "| A-law | 100.0 (94.4 to 100.0) | 89.1 (78.8 to 95.5) |" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {4}


@pytest.mark.req("DTMF-RX.4")
def test_talk_off_counts_hits_in_hours_of_recordings(tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    folder.mkdir()
    rng = np.random.default_rng(1)
    hiss = dsp.to_int16(rng.normal(0, 0.02, 8000 * 18))
    dsp.wav.write(folder / "hiss.wav", hiss, 8000)
    wide = impair.stack([np.pad(dsp.encode("77", 16000), (16000, 16000 * 17))])
    dsp.wav.write(folder / "digits.wav", dsp.to_int16(wide[0][: 16000 * 18]), 16000)
    with Campaign(tmp_path / "o") as campaign:
        (one, deaf) = talkoff.folder(campaign, ["offhook", f"{STANDINS}:deaf"], folder)
    with Campaign(tmp_path / "o") as campaign:
        assert talkoff.folder(campaign, ["offhook"], folder) == [one]
        assert campaign.planned == 0  # after a kill, what was heard is not heard again
    assert (one.hits, one.by_key, one.by_recording) == (2, {"7": 2}, {"digits.wav": "77"})
    assert one.hours == pytest.approx((36 + 0.4) / 3600)
    assert one.per_hour.value == pytest.approx(2 / one.hours)
    assert one.per_hour.low == pytest.approx(0.2422 / one.hours, rel=1e-3)  # Garwood's bounds of 2
    assert one.per_hour.high == pytest.approx(7.2247 / one.hours, rel=1e-3)
    assert deaf.hits == 0
    with pytest.raises(ConfigError, match=r"no \.wav files"):
        talkoff.recordings(tmp_path / "calls" / "none")


@pytest.mark.req("DTMF-RX.6")
def test_plots_say_unit_n_and_contours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = tuple(np.arange(-4.0, 4.5, 1.0).tolist())
    monkeypatch.setitem(sweeps.AXES, "frequency", sweeps.Axis("frequency, both tones", "%", steps, "freq"))
    monkeypatch.setitem(sweeps.AXES, "snr", sweeps.Axis("S/N, 0 to 4 kHz", "dB", (-10.0, 0.0, 10.0, 20.0), "snr_db"))
    with Campaign(tmp_path) as campaign:
        (chart,) = sweeps.maps(campaign, ["offhook"], [("frequency", "snr")], 1, thin=1)
        curves = sweeps.curves(campaign, ["offhook", TENTH], ["frequency"], 1)
    heat, curve = plots.heat(chart), plots.curve(curves)
    for text in (heat, curve):
        ET.fromstring(text)
        assert "frequency, both tones (%)" in text
        assert "n = 64 digits" in text
    assert all(f">{level} %<" in heat for level in (50, 90, 99))
    assert "95 % intervals" in curve
    assert TENTH in curve
    assert heat == plots.heat(chart)


@pytest.mark.req("DTMF-MEAS.5")
def test_a_sender_is_judged_key_by_key() -> None:
    rng = np.random.default_rng(5)
    good = dict(level_low_dbm0=-11.0, level_high_dbm0=-8.5, on_s=0.1, off_s=0.1)
    low_off = np.repeat([0.2, 1.9, 1.5], 6)  # "1" is right, "5" is off, "9" is on the limit within its uncertainty
    audio = dsp.encode("111111555555999999", low_offset_percent=low_off, edge_s=0.004, lead_s=0.1, **good)
    audio = impair.Chain(impair.Noise(35.0)).apply(audio, 8000, int(rng.integers(99)))
    digits = measure.digits(audio, 8000)
    assert sender.presses(digits) == {"1": 6, "5": 6, "9": 6}
    rows = {(row.key, row.figure): row for row in sender.summarize(digits)}
    assert rows["1", "low tone offset"].verdict == "PASS"
    assert rows["5", "low tone offset"].verdict == "FAIL"
    assert rows["9", "low tone offset"].verdict == "INCONCLUSIVE"
    assert rows["5", "low tone offset"].mean == pytest.approx(1.9, abs=0.05)
    assert rows["1", "twist, high over low"].mean == pytest.approx(2.5, abs=0.05)
    assert rows["1", "twist, high over low"].n == 6
    assert rows["1", "unwanted component to weaker tone"].verdict == "PASS"
    assert rows["1", "tone on"].mean == pytest.approx(96.0, abs=0.5)
    text = page.sender_html(list(rows.values()))
    lead = text.partition("<svg")[0]
    short = sum(row.verdict != "PASS" for row in rows.values())
    assert f"FAIL: {short} of {len(rows)} figures are not within the limits" in lead
    assert lead.index("FAIL  5  low tone offset: worst 1.9") < lead.index("INCONCLUSIVE  9  low tone offset")
    assert "1 (6), 5 (6), 9 (6)" in lead
    assert "not judged: 2 3 A 4 6 B 7 8 C * 0 # D" in lead
    assert "low tone offset: at least -1.5 %, at most 1.5 %" in text
    assert "INCONCLUSIVE" in text
    right = [row for row in rows.values() if row.verdict == "PASS"]
    assert f"PASS: all {len(right)} figures are within the limits" in page.sender_html(right)
    assert sender.overall([]) == "INCONCLUSIVE"  # nothing measured, nothing earned
    assert [sender.overall(right), sender.overall([*right, rows["9", "low tone offset"]])] == ["PASS", "INCONCLUSIVE"]
    assert len(list(csv.reader(io.StringIO(sender.csv(list(rows.values())))))) == len(rows) + 1

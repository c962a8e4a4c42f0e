"""The generator: spans, overrides, edges, refusals."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from offhook import dsp


def amplitude(x: np.ndarray, freq_hz: float, rate: float) -> complex:
    """Least-squares amplitude of a sine and phase of one frequency over a block of whole periods, by Hann weights."""
    n = np.arange(len(x))
    weight = np.hanning(len(x) + 2)[1:-1]
    return complex(2 * np.sum(x * weight * np.exp(-2j * np.pi * freq_hz * n / rate)) / weight.sum())


@pytest.mark.req("DTMF-ENC.1")
@pytest.mark.parametrize("key", dsp.tones.KEYS)
def test_two_frequencies_and_nothing_else(key: str) -> None:
    x = dsp.encode(key, on_s=1.0, off_s=0.0, edge_s=0.0, level_low_dbm0=-11, level_high_dbm0=-9).astype(np.float64)
    n = np.arange(len(x)) / 8000
    low, high = dsp.tones.frequencies(key)
    basis = np.stack([f(2 * np.pi * freq * n) for freq in (low, high) for f in (np.sin, np.cos)], axis=1)
    weights, *_ = np.linalg.lstsq(basis, x, rcond=None)
    levels = dsp.dbm0((weights.reshape(2, 2) ** 2).sum(axis=1) / 2)
    assert levels == pytest.approx([-11.0, -9.0], abs=0.001)
    rest = np.abs(np.fft.rfft((x - basis @ weights) * np.blackman(len(x)))) / (np.blackman(len(x)).sum() / 2)
    carrier = np.hypot(*weights[:2])
    assert 20 * np.log10(rest.max() / carrier) < -100
    sampled = dsp.to_int16(x) / 32768.0
    rest = np.abs(np.fft.rfft((sampled - basis @ weights) * np.blackman(len(x)))) / (np.blackman(len(x)).sum() / 2)
    assert 20 * np.log10(rest.max() / carrier) < -40


@pytest.mark.req("DTMF-ENC.2")
def test_spans_are_exact() -> None:
    made = dsp.encode_spans("1,2w#", 8000, on_s=[0.1, 0.05, 0.0725], off_s=[0.05, 0.04, 0.03], lead_s=0.01)
    assert made.spans == [dsp.Span("1", 80, 880), dsp.Span("2", 880 + 400 + 16000, 17680), dsp.Span("#", 22000, 22580)]
    assert len(made.samples) == 22580 + 240
    outside = made.samples.copy()
    for span in made.spans:
        assert np.any(made.samples[span.start : span.start + 3] != 0)
        assert np.any(made.samples[span.stop - 3 : span.stop] != 0)
        outside[span.start : span.stop] = 0
    assert not outside.any()


@pytest.mark.req("DTMF-ENC.3")
def test_overrides_are_applied_to_each_digit() -> None:
    made = dsp.encode_spans(
        "159",
        on_s=0.5,
        level_low_dbm0=[-20, -10, -6],
        level_high_dbm0=[-10, -16, -6],
        low_offset_percent=[1.5, 0, -2],
        high_offset_percent=[-1.5, 0.5, 3],
        low_phase_rad=[0.0, 1.0, 2.0],
        edge_s=0.0,
    )
    expected = [
        ((697 * 1.015, 1209 * 0.985), (-20, -10)),
        ((770, 1336 * 1.005), (-10, -16)),
        ((852 * 0.98, 1477 * 1.03), (-6, -6)),
    ]
    for place, (span, (freqs, levels)) in enumerate(zip(made.spans, expected, strict=True)):
        x = made.samples[span.start : span.stop].astype(np.float64)
        for freq, level in zip(freqs, levels, strict=True):
            assert dsp.dbm0(abs(amplitude(x, freq, 8000)) ** 2 / 2) == pytest.approx(level, abs=0.05)
            turn = amplitude(x[2000:], freq, 8000) / amplitude(x[:2000], freq, 8000)
            drift_hz = np.angle(turn * np.exp(-2j * np.pi * freq * 0.25)) / (2 * np.pi * 0.25)
            assert abs(drift_hz) < 1e-4 * freq
        assert np.angle(amplitude(x, freqs[0], 8000) * 1j) == pytest.approx(float(place), abs=0.01)


@pytest.mark.req("DTMF-ENC.3")
def test_interruption_is_cut_to_the_sample() -> None:
    made = dsp.encode_spans("5", on_s=0.1, interruption_at_s=0.03, interruption_s=0.01, edge_s=0.0, low_phase_rad=0.3)
    x = made.samples
    assert not x[240:320].any()
    assert x[239] != 0
    assert x[320] != 0


@pytest.mark.req("DTMF-ENC.4")
@pytest.mark.parametrize("bad", ["12 3", "1e", "٣", "1-2", "+1"])
def test_other_characters_are_refused_by_name(bad: str) -> None:
    wrong = next(char for char in bad if char.upper() not in dsp.tones.KEYS)
    with pytest.raises(ValueError, match="cannot be dialled") as caught:
        dsp.encode(bad)
    assert repr(wrong) in str(caught.value)


def test_lower_case_letters_and_pauses() -> None:
    assert dsp.decode(dsp.encode("ab,cdW*#")).text() == "ABCD*#"
    assert len(dsp.encode("", 8000)) == 0
    assert len(dsp.encode(",", 8000, pause_s=1.5)) == 12000


@pytest.mark.req("DTMF-ENC.5")
@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_rates_timing_and_clicks(rate: int) -> None:
    made = dsp.encode_spans("1590", rate, on_s=0.07, off_s=0.07, edge_s=0.005)
    assert [span.start for span in made.spans] == [round(0.14 * i * rate) for i in range(4)]
    found = dsp.decode(made.samples, rate)
    assert found.text() == "1590"
    x = np.concatenate(
        (np.zeros(rate // 10), made.samples[made.spans[0].start : made.spans[0].stop], np.zeros(rate // 10))
    )
    spectrum = np.abs(np.fft.rfft(x)) ** 2
    freq = np.fft.rfftfreq(len(x), 1 / rate)
    outside = (freq < 400) | (freq > 1900)
    assert 10 * np.log10(spectrum[outside].sum() / spectrum.sum()) < -45


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="on_s has shape \\(2,\\): expected one number, or one for each of 3 digits"):
        dsp.encode("123", on_s=[0.1, 0.1])
    with pytest.raises(ValueError, match="at least one sample"):
        dsp.encode("1", on_s=0.0)


@pytest.mark.parametrize("name", ["on_s", "off_s", "edge_s", "level_low_dbm0", "low_offset_percent", "interruption_s"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), [0.1, float("nan")]])
def test_figures_that_are_no_numbers_are_refused_by_name(name: str, value: float | list[float]) -> None:
    with pytest.raises(ValueError, match=f"{name} holds NaN or infinity"):
        dsp.encode("12", **{name: value})


def test_a_level_of_minus_infinity_leaves_the_tone_out() -> None:
    spectrum = np.abs(np.fft.rfft(dsp.encode("1", on_s=0.5, off_s=0.0, level_low_dbm0=float("-inf"))))
    assert abs(2 * int(spectrum.argmax()) - 1209) <= 2
    assert spectrum[697 // 2] < spectrum.max() / 1000


def test_import_needs_numpy_alone() -> None:
    code = "import sys; from offhook import dsp; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(done.stdout.decode().split())
    assert "numpy" in loaded
    assert not loaded & {"scipy", "matplotlib", "pydantic", "click", "greenlet", "rich"}

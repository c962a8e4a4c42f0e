"""The limits a run is judged by (requirements section 20; of lines, docs/suites.md) and the built-in sets of them.

A profile (:mod:`offhook.bench.profiles`) may replace any of them; what it changed is printed wherever the run is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

Unit = Literal["s", "", "V", "mA", "Hz", "dB"]
MOST: dict[str, float] = {"s": 3600.0, "": 1.0, "V": 300.0, "mA": 300.0, "Hz": 300.0, "dB": 60.0}
"""Larger than any limit in this unit can be."""


def _limit(value: float, req: str, what: str, unit: Unit = "s", *, least: bool = False) -> Any:
    return field(default=value, metadata={"req": req, "what": what, "unit": unit, "least": least})


@dataclass(frozen=True)
class Thresholds:
    """Named after what is limited, with the unit; those without one are shares. Metadata has id, unit and direction.

    Those of analog lines are the widest that telephones and exchanges are made for (docs/suites.md has the sources).
    """

    code_delivered_s: float = _limit(2.0, "TH-01", "S1 to the code at the account (S2)")
    monitor_confirmed_s: float = _limit(1.0, "TH-02", "S4 to the PBX's confirmation (S11)")
    lock_effective_s: float = _limit(3.0, "TH-03", "S5 to the lock in effect")
    first_ring_s: float = _limit(2.0, "TH-04", "S6 to the first ring of the phone")
    seizure_s: float = _limit(2.0, "TH-05", "answer to the seizure of the trunk")
    first_context_digit_min_s: float = _limit(0.2, "TH-06", "IVR answer to the first context digit", least=True)
    first_context_digit_max_s: float = _limit(3.0, "TH-06", "IVR answer to the first context digit")
    context_digits_s: float = _limit(10.0, "TH-06", "IVR answer to the last context digit")
    prompt_onset_s: float = _limit(3.0, "TH-07", "context digits to the voice prompt")
    decision_s: float = _limit(2.0, "TH-08", "last code digit to the association (S10)")
    notified_s: float = _limit(2.0, "TH-09", "S10 to the account being told (S36)")
    digit_errors: float = _limit(1e-3, "TH-10", "share of digits that go wrong, 95 % upper bound", "")
    battery_min_v: float = _limit(20.0, "DRV-VISA.2", "battery on hook", "V", least=True)
    battery_max_v: float = _limit(60.0, "DRV-VISA.2", "battery on hook", "V")
    off_hook_min_v: float = _limit(4.0, "DRV-VISA.2", "voltage off hook", "V", least=True)
    off_hook_max_v: float = _limit(14.0, "DRV-VISA.2", "voltage off hook", "V")
    loop_current_min_ma: float = _limit(18.0, "DRV-VISA.2", "loop current", "mA", least=True)
    loop_current_max_ma: float = _limit(70.0, "DRV-VISA.2", "loop current", "mA")
    leakage_max_ma: float = _limit(3.0, "DRV-VISA.2", "current on hook", "mA")
    ring_min_v: float = _limit(40.0, "DRV-VISA.2", "ringing, RMS", "V", least=True)
    ring_max_v: float = _limit(105.0, "DRV-VISA.2", "ringing, RMS", "V")
    ring_min_hz: float = _limit(15.0, "DRV-VISA.2", "ringing frequency", "Hz", least=True)
    ring_max_hz: float = _limit(68.0, "DRV-VISA.2", "ringing frequency", "Hz")
    ring_cadence: float = _limit(0.1, "LINE-RING.1", "cadence off its nominal, as a share of it", "")
    flash_error_s: float = _limit(0.005, "LINE-HOOK.1", "length of a hook flash off what was asked for")
    tone_loss_max_db: float = _limit(20.0, "DTMF-MEAS.4", "loss from the line to the ear", "dB")
    tone_frequency: float = _limit(0.0005, "DTMF-MEAS.4", "frequency heard off the one played, as a share of it", "")
    association_success: float = _limit(0.99, "TH-11", "share of associations, 95 % lower bound", "", least=True)


@dataclass(frozen=True)
class Deviation:
    """A limit that is not the built-in one; ``effect`` is loosened, tightened or changed."""

    id: str
    key: str
    what: str
    unit: str
    built_in: Any
    used: Any
    effect: str

    def __str__(self) -> str:
        used, built_in = (_shown(value, self.unit) for value in (self.used, self.built_in))
        return f"{' '.join(filter(None, (self.effect, self.id, self.what)))}: {used}, built-in {built_in}"


def _shown(value: Any, unit: str) -> str:
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    return f"{text} {unit}" if unit else text


def noted(meta: Mapping[str, Any]) -> list[str]:
    """The deviations that a run has on record, in words."""
    found = meta.get("deviations") or []
    try:
        return [str(Deviation(**one)) for one in found]
    except TypeError:
        return ["its note of deviations cannot be read"]


def deviations(used: Thresholds, built_in: Thresholds) -> list[Deviation]:
    """Every limit in which two sets differ, in the order of the fields."""
    found = []
    for one in fields(Thresholds):
        was, now = getattr(built_in, one.name), getattr(used, one.name)
        if now != was:
            loosened = now < was if one.metadata["least"] else now > was
            about = {key: str(one.metadata[key]) for key in ("what", "unit")}
            effect = "loosened" if loosened else "tightened"
            found.append(Deviation(str(one.metadata["req"]), one.name, **about, built_in=was, used=now, effect=effect))
    return found


SMOKE = Thresholds()
CERTIFICATION = replace(SMOKE, digit_errors=1e-4)

"""Call-progress tone plans: which frequencies at which level in which rhythm.

Sources: North American precise plan (ITU-T E.300 Suppl. 3; GR-506), ITU-T E.180/Q.35 and its Supplement 2 for EU
(425 Hz), UK (BT SIN 350 family) and Japan (400 Hz, TTC). Levels are those of each component at a subscriber's line.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tone:
    """One tone: components, and the rhythm as (on, off) seconds repeated ``times`` (0 = for ever).

    No rhythm means continuous. With ``then_continuous`` the same components go on without breaks after the last repeat.
    """

    name: str
    freqs_hz: tuple[float, ...]
    level_dbm0: float
    rhythm: tuple[tuple[float, float], ...] = ()
    times: int = 0
    then_continuous: bool = False


@dataclass(frozen=True)
class Sit:
    """Special information tone: three single tones in a row; ``parts`` are (Hz, seconds)."""

    name: str
    parts: tuple[tuple[float, float], ...]
    level_dbm0: float = -13.0


_SIT = Sit("sit", ((950.0, 0.33), (1400.0, 0.33), (1800.0, 0.33)))

US = (
    Tone("dial", (350.0, 440.0), -13.0),
    Tone("stutter", (350.0, 440.0), -13.0, ((0.1, 0.1),), 10, True),
    Tone("confirmation", (350.0, 440.0), -13.0, ((0.1, 0.1),), 3),
    Tone("ringback", (440.0, 480.0), -19.0, ((2.0, 4.0),)),
    Tone("busy", (480.0, 620.0), -24.0, ((0.5, 0.5),)),
    Tone("reorder", (480.0, 620.0), -24.0, ((0.25, 0.25),)),
    Tone("waiting", (440.0,), -13.0, ((0.3, 9.7),)),
    Tone("howler", (1400.0, 2060.0, 2450.0, 2600.0), -6.0, ((0.1, 0.1),)),
    Sit("sit", ((985.2, 0.38), (1370.6, 0.274), (1776.7, 0.38))),
)
EU = (
    Tone("dial", (425.0,), -10.0),
    Tone("stutter", (425.0,), -10.0, ((0.5, 0.05),)),
    Tone("confirmation", (425.0,), -10.0, ((0.1, 0.1),), 3),
    Tone("ringback", (425.0,), -10.0, ((1.0, 4.0),)),
    Tone("busy", (425.0,), -10.0, ((0.5, 0.5),)),
    Tone("reorder", (425.0,), -10.0, ((0.2, 0.2),)),
    Tone("waiting", (425.0,), -10.0, ((0.2, 0.6), (0.2, 3.0))),
    Tone("howler", (1400.0, 2060.0, 2450.0, 2600.0), -6.0, ((0.1, 0.1),)),
    _SIT,
)
UK = (
    Tone("dial", (350.0, 440.0), -13.0),
    Tone("stutter", (350.0, 440.0), -13.0, ((0.75, 0.75),)),
    Tone("confirmation", (1400.0,), -13.0, ((0.1, 0.1),), 3),
    Tone("ringback", (400.0, 450.0), -19.0, ((0.4, 0.2), (0.4, 2.0))),
    Tone("busy", (400.0,), -19.0, ((0.375, 0.375),)),
    Tone("reorder", (400.0,), -19.0, ((0.4, 0.35), (0.225, 0.525))),
    Tone("unobtainable", (400.0,), -19.0),
    Tone("howler", (800.0, 970.0, 1245.0, 1530.0), -6.0),
    _SIT,
)
JP = (
    Tone("dial", (400.0,), -13.0),
    Tone("stutter", (400.0,), -13.0, ((0.25, 0.25),)),
    Tone("confirmation", (400.0,), -13.0, ((0.125, 0.125),), 3),
    Tone("ringback", (384.0, 416.0), -16.0, ((1.0, 2.0),)),
    Tone("busy", (400.0,), -13.0, ((0.5, 0.5),)),
    Tone("howler", (400.0, 1400.0, 2060.0, 2600.0), -6.0, ((0.1, 0.1),)),
    _SIT,
)
PLANS: dict[str, tuple[Tone | Sit, ...]] = {"US": US, "EU": EU, "UK": UK, "JP": JP}


def plan_of(plan: str) -> tuple[Tone | Sit, ...]:
    """A plan by name in any case; ValueError that lists them."""
    try:
        return PLANS[plan.upper()]
    except KeyError:
        raise ValueError(f"no tone plan {plan!r}: expected one of {', '.join(PLANS)}") from None


def names(plan: str = "US") -> list[str]:
    """The tones of a plan."""
    return [tone.name for tone in plan_of(plan)]


def find(name: str, plan: str = "US") -> Tone | Sit:
    """One tone of a plan; ValueError that lists what the plan has."""
    for tone in plan_of(plan):
        if tone.name == name:
            return tone
    raise ValueError(f"plan {plan} has no tone {name!r}: expected one of {', '.join(names(plan))}")

"""What a receiver accepts: the columns of ITU-T Q.24 Annex A, ETSI ES 201 235-3, and a chip of the MT8870 class.

A standard says what must be accepted and what must not; the receiver's own threshold lies between. ``accepts`` and
``rejects`` describe the standard, the other fields are the thresholds used. Twist limits name the stronger group.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Profile:
    """Thresholds of a receiver, and the limits of the standard they serve."""

    name: str
    source: str
    freq_tolerance_percent: float = 2.45
    freq_tolerance_hz: float = 0.0
    min_level_dbm0: float = -41.0
    max_level_dbm0: float = 6.0
    max_low_over_high_db: float = 9.0
    max_high_over_low_db: float = 6.6
    min_on_s: float = 0.0305
    bridge_s: float = 0.024
    null_hz: tuple[float, ...] = (0.0, 55.0, 350.0, 425.0, 440.0)
    accept_freq_percent: float = 1.5
    accept_freq_hz: float = 0.0
    reject_freq_percent: float | None = None
    accept_level_dbm0: tuple[float, float] = (-25.0, 0.0)
    reject_level_dbm0: float | None = None
    accept_low_over_high_db: float = 6.0
    accept_high_over_low_db: float = 6.0
    accept_on_s: float = 0.040
    reject_on_s: float = 0.020
    accept_pause_s: float = 0.040
    accept_interruption_s: float = 0.010
    accept_cycle_s: float = 0.100

    def __post_init__(self) -> None:
        if not 0.0 < self.freq_tolerance_percent <= 3.5 or not 0.0 <= self.freq_tolerance_hz <= 20.0:
            raise ValueError(f"profile {self.name}: frequency tolerance must be in 0 to 3.5 % and 0 to 20 Hz")
        if not 0.020 <= self.min_on_s <= 0.040:
            raise ValueError(f"profile {self.name}: min_on_s is {self.min_on_s}: expected 0.020 to 0.040")
        if not 0.004 <= self.bridge_s <= 0.060:
            raise ValueError(f"profile {self.name}: bridge_s is {self.bridge_s}: expected 0.004 to 0.060")
        if self.max_low_over_high_db <= 0 or self.max_high_over_low_db <= 0:
            raise ValueError(f"profile {self.name}: twist limits must be positive")

    def with_(self, **changes: object) -> Profile:
        """A custom profile: this one with some fields changed, named "custom" unless a name is given."""
        return replace(self, **{"name": "custom", **changes})  # type: ignore[arg-type]

    def as_dict(self) -> dict[str, object]:
        """All fields, for reports."""
        return asdict(self)


ATT = Profile(
    name="ATT",
    source="ITU-T Q.24 Annex A, AT&T",
    reject_freq_percent=3.5,
    accept_level_dbm0=(-25.0, 0.0),
    reject_level_dbm0=-55.0,
    accept_low_over_high_db=8.0,
    accept_high_over_low_db=4.0,
    reject_on_s=0.023,
    accept_cycle_s=0.093,
)
NTT = Profile(
    name="NTT",
    source="ITU-T Q.24 Annex A, NTT",
    min_level_dbm0=-26.5,
    max_low_over_high_db=6.5,
    max_high_over_low_db=6.5,
    freq_tolerance_percent=2.4,
    accept_freq_percent=1.8,
    reject_freq_percent=3.0,
    accept_level_dbm0=(-24.0, -3.0),
    reject_level_dbm0=-29.0,
    accept_low_over_high_db=5.0,
    accept_high_over_low_db=5.0,
    reject_on_s=0.024,
    accept_pause_s=0.030,
    accept_cycle_s=0.120,
)
DANISH = Profile(
    name="Danish",
    source="ITU-T Q.24 Annex A, Danish administration",
    freq_tolerance_hz=1.0,
    min_level_dbm0=-31.5,
    max_low_over_high_db=7.5,
    max_high_over_low_db=7.5,
    bridge_s=0.030,
    accept_freq_hz=2.0,
    accept_level_dbm0=(-27.0, -2.0),
    reject_level_dbm0=-36.0,
    accept_interruption_s=0.020,
)
AUSTRALIAN = Profile(
    name="Australian",
    source="ITU-T Q.24 Annex A, Australian administration",
    freq_tolerance_percent=1.7,  # 7 % off one tone is 3 % off its neighbour
    freq_tolerance_hz=5.0,
    min_level_dbm0=-28.5,
    max_low_over_high_db=11.0,
    max_high_over_low_db=11.0,
    min_on_s=0.0315,
    bridge_s=0.036,
    accept_freq_hz=4.0,
    reject_freq_percent=7.0,
    accept_level_dbm0=(-27.0, -5.0),
    reject_level_dbm0=-30.0,
    accept_low_over_high_db=10.0,
    accept_high_over_low_db=10.0,
    reject_on_s=0.025,
    accept_pause_s=0.070,
    accept_interruption_s=0.012,
    accept_cycle_s=0.125,
)
BRAZILIAN = Profile(
    name="Brazilian",
    source="ITU-T Q.24 Annex A, Brazilian administration",
    max_low_over_high_db=10.0,
    max_high_over_low_db=10.0,
    freq_tolerance_percent=2.4,
    accept_freq_percent=1.8,
    reject_freq_percent=3.0,
    accept_level_dbm0=(-25.0, -3.0),
    reject_level_dbm0=-50.0,
    accept_low_over_high_db=9.0,
    accept_high_over_low_db=9.0,
    accept_pause_s=0.030,
    accept_cycle_s=0.120,
)
ETSI = Profile(
    name="ETSI",
    source="ETSI ES 201 235-3",
    freq_tolerance_hz=1.0,
    max_low_over_high_db=7.5,
    max_high_over_low_db=7.5,
    accept_freq_hz=2.0,
    accept_level_dbm0=(-29.0, 0.0),
    accept_low_over_high_db=6.0,
    accept_high_over_low_db=6.0,
)
MT8870 = Profile(
    name="MT8870",
    source="MT8870D data sheet class",
    freq_tolerance_hz=1.0,
    max_low_over_high_db=9.0,
    max_high_over_low_db=9.0,
    accept_freq_hz=2.0,
    reject_freq_percent=3.5,
    accept_level_dbm0=(-29.0, 1.0),
    accept_low_over_high_db=8.0,
    accept_high_over_low_db=8.0,
)

ALL = {p.name.lower(): p for p in (ATT, NTT, DANISH, AUSTRALIAN, BRAZILIAN, ETSI, MT8870)}


def named(name: str) -> Profile:
    """A profile by its name in any case; ValueError that lists them."""
    try:
        return ALL[name.lower()]
    except KeyError:
        raise ValueError(f"no profile {name!r}: expected one of {', '.join(p.name for p in ALL.values())}") from None

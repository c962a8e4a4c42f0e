"""Keeps the page below 20 MB: what went wrong is served first, then one call of every test, then the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from markupsafe import Markup

from offhook.reports.folder import Case, Run
from offhook.reports.sound import between, playable

AUDIO_BYTES = 11_000_000
PICTURE_BYTES = 2_500_000
TABLE_BYTES = 5_000_000
_ROW_BYTES = {"judgement": 600, "step": 350}
_BASE64_MU_LAW = 1.4
"""Bytes in the page for a sample of audio."""


@dataclass
class Budget:
    """What is left of the room for audio, pictures and tables."""

    audio: int = field(default_factory=lambda: AUDIO_BYTES)
    pictures: int = field(default_factory=lambda: PICTURE_BYTES)
    tables: int = field(default_factory=lambda: TABLE_BYTES)

    def clip(self, run: Run, wire: str, from_s: float, to_s: float) -> str:
        """A playable clip, or an empty string if there is no room left for it or nothing in it."""
        samples, rate_hz = between(run, wire, from_s, to_s)
        if not samples.any() or _BASE64_MU_LAW * len(samples) > self.audio:
            return ""
        made = playable(samples, rate_hz)
        self.audio -= len(made)
        return made

    def picture(self, draw: Callable[[], Markup]) -> Markup:
        """The picture, or an empty one if there is no room left for it; once there was none, nothing more is drawn."""
        drawn = draw() if self.pictures > 0 else Markup()
        if len(drawn) > self.pictures:
            self.pictures = 0
            return Markup()
        self.pictures -= len(drawn)
        return drawn

    def has_tables(self, case: Case) -> bool:
        """True if there is room for the steps and judgements of an attempt; takes it."""
        size = _ROW_BYTES["judgement"] * len(case.judgements) + _ROW_BYTES["step"] * len(case.steps)
        if size > self.tables:
            return False
        self.tables -= size
        return True

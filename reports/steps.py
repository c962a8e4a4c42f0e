"""The steps of the association and lock flows: who acts on whom, and which claim of the source they stand for.

Source: US 11,082,555 B2 (method for associating a PBX extension with a user account); steps that the source does not
have are not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offhook.reports.folder import Run

LANES = ("user", "phone", "PBX", "IVR", "cloud")
"""Actors, top to bottom; neighbours speak most. The bench stands in for the user."""

ACTS: dict[str, tuple[str, str]] = {
    "S1": ("user", "cloud"),
    "S21": ("cloud", "cloud"),
    "S2": ("cloud", "user"),
    "S3": ("user", "cloud"),
    "S4": ("cloud", "PBX"),
    "S11": ("PBX", "PBX"),
    "S5": ("cloud", "PBX"),
    "S13": ("PBX", "phone"),
    "S22": ("phone", "phone"),
    "S6": ("cloud", "PBX"),
    "S14": ("PBX", "PBX"),
    "S15": ("PBX", "phone"),
    "S24": ("phone", "user"),
    "S25": ("user", "phone"),
    "S16": ("PBX", "IVR"),
    "S31": ("IVR", "IVR"),
    "S32": ("IVR", "IVR"),
    "S33": ("IVR", "user"),
    "S27": ("user", "IVR"),
    "S8": ("IVR", "cloud"),
    "S9": ("cloud", "cloud"),
    "S10": ("cloud", "cloud"),
    "S36": ("cloud", "user"),
}

_CLAIMS = {
    "US 11,082,555 claim 1": "S1 S2 S4 S6 S8 S9 S10",
    "US 11,082,555 claim 2": "S3",
    "US 11,082,555 claim 3": "S5 S22",
    "US 11,082,555 claim 4": "S21 S31",
    "US 11,082,555 claim 6": "S32",
    "US 11,082,555 claim 11": "S11 S14 S15 S16 S27",
    "US 11,082,555 claim 12": "S25",
    "US 11,082,555 description": "S13 S24 S33 S36",
}
_BY_STEP = {step: claim for claim, steps in _CLAIMS.items() for step in steps.split()}


def step_of(req: str) -> str:
    """``S6`` of ``ASSOC-S6.2``."""
    return req.partition("-")[2].partition(".")[0]


def source_of(req: str) -> str:
    """Step and claim of a requirement (``ASSOC-S6.2``: ``S6, US 11,082,555 claim 1``); empty if it has none."""
    step = step_of(req)
    return f"{step}, {_BY_STEP[step]}" if step in _BY_STEP else ""


def legend(run: Run) -> list[tuple[str, str, str]]:
    """The steps that this run took: name, who acts on whom, what happens; in the order of the flow."""
    titles: dict[str, list[str]] = {}
    for case in run.cases:
        for step in case.steps:
            known = titles.setdefault(step.name, [])
            if step.title not in known:
                known.append(step.title)
    ordered = [name for name in ACTS if name in titles] + sorted(name for name in titles if name not in ACTS)
    return [(name, " to ".join(dict.fromkeys(ACTS.get(name, ()))), "; ".join(titles[name])) for name in ordered]

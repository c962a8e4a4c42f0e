"""Digits as a reader may see them: those of a local code are dots, wherever they were heard."""

from __future__ import annotations

import math
from dataclasses import replace

from offhook.bench.record.heard import Key
from offhook.reports.folder import Run

HIDDEN = "•"
PAD_S = 0.05
"""Silenced before and after what is secret."""


def keys_heard(run: Run, wire: str, from_s: float, to_s: float) -> list[Key]:
    """The digits on a wire, decoded again. Raises OSError or ValueError if its files cannot be read."""
    keys = run.ear.keys_between(wire, from_s, to_s)
    secret = run.evidence.secrets.places("".join(key.key for key in keys), run.evidence)
    spans = run.secret_spans.get(wire, [])
    return [
        replace(key, key=HIDDEN) if at in secret or (_within(key, spans) and key.key != "#") else key
        for at, key in enumerate(keys)
    ]


def silenced_spans(run: Run) -> dict[str, list[tuple[float, float]]]:
    """Where a local code is heard, by wire: while it was keyed at a handset, and wherever its digits are."""
    found = {wire: [(a - PAD_S, b + PAD_S) for a, b in spans] for wire, spans in run.secret_spans.items()}
    for wire in sorted({clip.wire for clip in run.clips}):
        try:
            keys = run.ear.keys_between(wire, -math.inf, math.inf)
        except (OSError, ValueError):
            continue
        secret = run.evidence.secrets.places("".join(key.key for key in keys), run.evidence)
        found.setdefault(wire, []).extend((keys[at].start_s - PAD_S, keys[at].end_s + PAD_S) for at in sorted(secret))
    return found


def _within(key: Key, spans: list[tuple[float, float]]) -> bool:
    return any(from_s <= key.end_s and key.start_s <= to_s for from_s, to_s in spans)

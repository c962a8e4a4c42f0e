"""Digits as a reader may see them: those of a local code are dots, wherever they were heard."""

from __future__ import annotations

from dataclasses import replace

from offhook.bench.record.heard import Key
from offhook.reports.folder import Run

HIDDEN = "•"
KEYED = "local-code-keyed"
"""The observation that says of a handset from when to when a local code was keyed."""


def keys_heard(run: Run, wire: str, from_s: float, to_s: float) -> list[Key]:
    """The digits on a wire, decoded again. Raises OSError or ValueError if its files cannot be read."""
    keys = run.ear.keys_between(wire, from_s, to_s)
    secret = run.evidence.secrets.places("".join(key.key for key in keys), run.evidence)
    spans = secret_spans(run, wire)
    return [
        replace(key, key=HIDDEN) if at in secret or (_within(key, spans) and key.key != "#") else key
        for at, key in enumerate(keys)
    ]


def secret_spans(run: Run, wire: str) -> list[tuple[float, float]]:
    """When a local code was keyed at a handset."""
    keyed = run.evidence.observations_between(KEYED, -1e9, 1e12)
    return [(float(item.data.get("from_s", item.time_s)), item.time_s) for item in keyed if item.wire == wire]


def _within(key: Key, spans: list[tuple[float, float]]) -> bool:
    return any(from_s <= key.end_s and key.start_s <= to_s for from_s, to_s in spans)

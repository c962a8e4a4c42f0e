"""Limits and options of a run that are not the built-in ones: said at the top of whatever is made of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

LOOSENED = "loosened"


def deviations(meta: dict[str, Any]) -> list[dict[str, Any]]:
    """The deviations as the run noted them; a note that cannot be read counts as a loosened limit."""
    noted = meta.get("deviations") or []
    if not isinstance(noted, list) or not all(isinstance(one, dict) for one in noted):
        return [{"id": "", "what": "the run's note of its deviations cannot be read", "effect": LOOSENED}]
    return noted


def loosened(meta: dict[str, Any]) -> bool:
    """True if any limit was loosened, or anything changed of which it cannot be said that it was not."""
    return any(one.get("effect") != "tightened" for one in deviations(meta))


def deviation_rows(meta: dict[str, Any]) -> list[dict[str, str]]:
    """For a table: id, what, built-in value, value of this run, effect."""
    return [
        {
            "id": str(one.get("id") or ""),
            "what": str(one.get("what") or ""),
            "built_in": _value(one.get("built_in"), one.get("unit")),
            "used": _value(one.get("used"), one.get("unit")),
            "effect": str(one.get("effect") or LOOSENED),
        }
        for one in deviations(meta)
    ]


def alarm(meta: dict[str, Any]) -> list[str]:
    """A sentence for the top of page one if a limit was loosened; nothing if none was."""
    if not loosened(meta):
        return []
    counts = Counter(str(one.get("effect") or LOOSENED) for one in deviations(meta))
    what = ", ".join(f"{counts[effect]} {effect}" for effect in sorted(counts))
    profile = f"profile {meta['profile']!r}" if meta.get("profile") else "a profile"
    return [
        f"Not judged by the built-in limits: {profile} deviates from them ({what}). Each deviation is listed below."
    ]


def _value(value: Any, unit: Any) -> str:
    if value is None:
        return "–"
    text = f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
    return f"{text} {unit}" if unit else text

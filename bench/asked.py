"""Which part of the suites a run was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def selected(meta: Mapping[str, Any]) -> str:
    """``suites lock; tests that match 'desk-1'``; "" if all of them."""
    plan = meta.get("plan")
    suites = plan.get("suites") if isinstance(plan, dict) else None
    parts = [f"suites {', '.join(map(str, suites))}"] if suites else []
    parts += [f"tests that match {meta['only']!r}"] if meta.get("only") else []
    return "; ".join(parts)

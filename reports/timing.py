"""Latencies of a run: percentiles with n, and every sample on its way to its limit."""

from __future__ import annotations

from typing import Any

from offhook.reports.folder import Run


def timing(run: Run) -> dict[str, Any] | None:
    """Picture and table, or None if nothing was timed."""
    return None

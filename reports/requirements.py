"""What a requirement asks for, in words: requirements.csv, one line each."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def texts() -> dict[str, str]:
    """The text of every requirement by its id; a test may name ids of its own, which have none."""
    page = files("offhook.reports").joinpath("requirements.csv").read_text("utf-8")
    return {row["id"]: row["requirement"] for row in csv.DictReader(page.splitlines())}

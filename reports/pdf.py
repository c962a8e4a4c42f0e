"""``report.pdf``: the certificate for an auditor, set by typst with the fonts it carries.

The text of a run goes in as JSON and is never read as markup. With the same installed versions the same folder gives
the same bytes: the date is the run's, no font of the system is used, nothing is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from typing import Any, Final

from offhook.reports.certificate import content, started
from offhook.reports.folder import Run
from offhook.reports.summary import Digest

STANDARD: Final = "a-2b"
"""PDF/A: what is kept for years must be readable without anything from outside."""


def document(run: Run, digest: Digest, redact: Callable[[Any], Any] | None = None) -> bytes:
    """The whole PDF; ``redact`` is applied to everything that it says."""
    said = content(run, digest)
    return typeset(json.dumps(redact(said) if redact else said, ensure_ascii=False, sort_keys=True), _stamp(run))


def typeset(data: str, stamp: int) -> bytes:
    """Set the template with its data (JSON); ``stamp``: date of the document, seconds since 1970."""
    import typst

    made = typst.compile(
        _template(),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"data": data},
        pdf_standards=STANDARD,
        timestamp=stamp,
    )
    return bytes(made)


def _template() -> bytes:
    return resources.files("offhook.reports").joinpath("templates/report.typ").read_bytes()


def _stamp(run: Run) -> int:
    at = started(run)
    return 0 if at is None else max(0, int(at.timestamp()))

"""``report.pdf``: the certificate for an auditor, set by typst.

The text of a run goes in as JSON and is never read as markup. With the same installed versions the same folder gives
the same bytes: the date is the run's, the fonts are those of installed packages, nothing is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from offhook.reports.certificate import content, started
from offhook.reports.folder import Run
from offhook.reports.summary import Digest

STANDARD: Final = "a-2b"
"""PDF/A: what is kept for years must be readable without anything from outside."""


def document(run: Run, digest: Digest, redact: Callable[[Any], Any] | None = None) -> bytes:
    """The whole PDF; ``redact`` is applied to everything that it says."""
    said = content(run, digest)
    return typeset(redact(said) if redact else said, _stamp(run))


def typeset(said: dict[str, Any], stamp: int) -> bytes:
    """Set the template with its content; ``stamp``: date of the document, seconds since 1970."""
    import typst

    shown = _showable(said)
    data = json.dumps({**shown, "escaped": shown != said}, ensure_ascii=False, sort_keys=True)
    made = typst.compile(
        _template(),
        format="pdf",
        font_paths=typst.Fonts(include_system_fonts=False, font_paths=[str(_fallback().parent)]),
        sys_inputs={"data": data},
        pdf_standards=STANDARD,
        timestamp=stamp,
    )
    return bytes(made)


def _fallback() -> Path:
    """A font for letters that typst's own lack: DejaVu Sans, which comes with matplotlib."""
    package = find_spec("matplotlib")  # found, not loaded: that would take longer than all the rest of the certificate
    if package is None or package.origin is None:
        raise ModuleNotFoundError("matplotlib is not installed: its DejaVu Sans is the certificate's second font")
    return Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"


@lru_cache(maxsize=1)
def _letters() -> frozenset[str]:
    from fontTools.ttLib import TTFont

    with TTFont(_fallback(), lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap())) | {"\n"}


def _showable(value: Any) -> Any:
    """Texts with every letter that no font here has spelt out: PDF/A refuses what cannot be seen."""
    if isinstance(value, str):
        letters = _letters()
        if all(letter in letters for letter in value):
            return value
        return "".join(letter if letter in letters else f"\\u{{{ord(letter):x}}}" for letter in value)
    if isinstance(value, dict):
        return {key: _showable(item) for key, item in value.items()}
    return [_showable(item) for item in value] if isinstance(value, list) else value


def _template() -> bytes:
    return resources.files("offhook.reports").joinpath("templates/report.typ").read_bytes()


def _stamp(run: Run) -> int:
    at = started(run)
    return 0 if at is None else max(0, int(at.timestamp()))

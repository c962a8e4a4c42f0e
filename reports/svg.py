"""Just enough SVG: elements with escaped text and short, stable numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup, escape


def num(value: float) -> str:
    """A coordinate: one decimal, no trailing zero, never ``-0``."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def tag(name: str, *content: str, **attributes: float | str) -> Markup:
    """One element; ``text_anchor`` becomes ``text-anchor``, ``class_`` just ``class``. Plain strings are escaped."""
    parts = []
    for key, value in attributes.items():
        text = value if isinstance(value, str) else num(value)
        parts.append(f' {key.rstrip("_").replace("_", "-")}="{escape(text)}"')
    inside = "".join(escape(item) for item in content)
    opened = f"<{name}{''.join(parts)}"
    return Markup(f"{opened}>{inside}</{name}>" if inside else f"{opened}/>")


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("path", d=f"M{num(x1)} {num(y1)}{_to(x1, y1, x2, y2)}", class_=class_)


def bent(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A line with corners."""
    (x, y), rest = points[0], points[1:]
    way = [_to(*before, *after) for before, after in pairwise(points)]
    return tag("path", d=f"M{num(x)} {num(y)}{''.join(way)}", class_=class_) if rest else Markup()


def _to(x1: float, y1: float, x2: float, y2: float) -> str:
    """The shortest command that leads from one point to another."""
    if num(x1) == num(x2):
        return f"V{num(y2)}"
    return f"H{num(x2)}" if num(y1) == num(y2) else f"L{num(x2)} {num(y2)}"


def text(x: float, y: float, content: str, class_: str = "", anchor: str = "start") -> Markup:
    """A line of text."""
    anchored: dict[str, float | str] = {} if anchor == "start" else {"text_anchor": anchor}
    return tag("text", content, x=x, y=y, class_=class_, **anchored)


def picture(width: float, height: float, label: str, *content: str, fit: str = "xMidYMid") -> Markup:
    """A whole picture that scales with its column; ``label`` is what a screen reader says."""
    box = f"0 0 {num(width)} {num(height)}"
    extras: dict[str, str] = {"viewBox": box, "preserveAspectRatio": fit, "role": "img", "aria_label": label}
    return tag("svg", *content, width=width, height=height, **extras)

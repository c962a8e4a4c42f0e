"""Just enough SVG: elements with escaped text and short, stable numbers."""

from __future__ import annotations

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
    return Markup(f"<{name}{''.join(parts)}>{inside}</{name}>")


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("path", d=f"M{num(x1)} {num(y1)}L{num(x2)} {num(y2)}", class_=class_)


def text(x: float, y: float, content: str, class_: str = "", anchor: str = "start") -> Markup:
    """A line of text."""
    return tag("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def picture(width: float, height: float, label: str, *content: str, fit: str = "xMidYMid") -> Markup:
    """A whole picture that scales with its column; ``label`` is what a screen reader says."""
    box = f"0 0 {num(width)} {num(height)}"
    extras: dict[str, str] = {"viewBox": box, "preserveAspectRatio": fit, "role": "img", "aria_label": label}
    return tag("svg", *content, width=width, height=height, **extras)

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.bench.station_file import find_station
from offhook.bench.station_lines import KeyPath, key_lines

TRICKY = '''\
# a comment with [brackets] and "quotes"
a = 1
"b c" = "x # not a comment"   # but this is
'd.e' = 'C:\\path'
f.g.h = 2

[table]
list = [
  "one",     # with a comment ]
  { k = 1, "odd }" = [2, 3] },
  """many
lines = [ here""",
]
inline = { x = 1, y.z = { deep = true } }
[table.sub."quoted.part"]
date = 1979-05-27T07:32:00Z
float = -1.5e3
empty = []
none = {}
text = """ends with a quote""""
raw = \'\'\'no \\ escape\'\'\'

[[point]]
x = 1
[point.deep]
y = 2
[[point]]
x = 3
'''


def paths(value: Any, at: KeyPath = ()) -> Iterator[KeyPath]:
    yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*at, index))


def test_every_key_of_a_tricky_document_has_a_line() -> None:
    assert set(key_lines(TRICKY)) == set(paths(tomllib.loads(TRICKY)))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("b c",), 3),
        (("d.e",), 4),
        (("f", "g", "h"), 5),
        (("table",), 7),
        (("table", "list"), 8),
        (("table", "list", 0), 9),
        (("table", "list", 1, "odd }", 1), 10),
        (("table", "list", 2), 11),
        (("table", "inline", "y", "z", "deep"), 14),
        (("table", "sub", "quoted.part", "text"), 20),
        (("point", 0, "deep", "y"), 26),
        (("point", 1, "x"), 28),
    ],
)
def test_the_line_is_the_right_one(path: KeyPath, line: int) -> None:
    assert key_lines(TRICKY)[path] == line


def test_the_shipped_station_is_understood() -> None:
    text = find_station("simulated").read_text()

    lines = key_lines(text)

    assert set(lines) == set(paths(tomllib.loads(text)))
    assert text.splitlines()[lines["phone", "desk-2", "hook", "contact"] - 1].startswith("hook")


KEYS = st.from_regex(r"[a-z]{1,4}", fullmatch=True)
SCALARS = st.one_of(st.integers(-9, 9), st.booleans(), st.text(alphabet='ab]}#"\\,=\n ', max_size=6))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(written, value)) + "\n]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {one_line(item)}" for key, item in value.items()) + " }"
    return str(value)


def one_line(value: Any) -> str:
    return written(value).replace("\n", " ")


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_document_is_walked_whole(document: dict[str, Any]) -> None:
    text = "".join(f"{key} = {written(value)}\n" for key, value in document.items())

    assert tomllib.loads(text) == document
    assert set(key_lines(text)) == set(paths(document))

"""The README's tests, as a lab would paste them into an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

from runs import Runner

README = Path(__file__).parents[3] / "README.md"


def test_the_readme_tests_pass_on_the_simulated_station(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    tests = [block for block in blocks if "def test_" in block]
    assert len(tests) == 1
    (tmp_path / "test_lab.py").write_text(tests[0], "utf-8")

    ended = Runner(tmp_path).pytest("-q")

    assert ended.code == 0, ended.out + ended.err
    assert "2 passed" in ended.out

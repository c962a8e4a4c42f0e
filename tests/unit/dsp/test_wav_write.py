"""Where a WAV file is written: a link stays a link, a pipe a pipe."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from offhook.dsp import wav

SOUND = np.arange(100, dtype=np.int16)


@pytest.mark.parametrize("there", [True, False])
def test_symbolic_link_is_followed_and_stays(tmp_path: Path, there: bool) -> None:
    real, link = tmp_path / "real.wav", tmp_path / "link.wav"
    if there:
        real.write_text("old")
    link.symlink_to(real)
    wav.write(link, SOUND, 8000)
    assert link.is_symlink()
    assert wav.read(real).samples[0].tolist() == SOUND.tolist()
    assert sorted(tmp_path.iterdir()) == [link, real]


def test_link_in_a_circle_is_an_error_of_the_system(tmp_path: Path) -> None:
    link = tmp_path / "link.wav"
    link.symlink_to(link)
    with pytest.raises(OSError, match="symbolic links"):
        wav.write(link, SOUND, 8000)


def test_fifo_is_written_into(tmp_path: Path) -> None:
    fifo = tmp_path / "out.wav"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        wav.write(fifo, SOUND, 8000)
        assert fifo.is_fifo()
        assert os.read(reader, 4096) == wav.encoded(SOUND, 8000)
    finally:
        os.close(reader)
    assert list(tmp_path.iterdir()) == [fifo]

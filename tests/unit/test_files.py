"""Results are written whole or not at all, and nothing that is no file is replaced by one."""

import os
import threading
from pathlib import Path

import pytest

from voiceperf.errors import InputError
from voiceperf.files import require_writable, write_text, written


def test_a_file_takes_its_place_whole(tmp_path):
    """The new text stands where the old one did, and nothing else is left."""
    (tmp_path / "a.txt").write_text("old")
    write_text(tmp_path / "a.txt", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "new")]


def test_a_link_stays_one(tmp_path):
    """What it points to is written; a link to nothing yet makes it."""
    for name in ("there", "not_yet"):
        (tmp_path / f"{name}.link").symlink_to(tmp_path / name)
    (tmp_path / "there").write_text("old")
    for name in ("there", "not_yet"):
        write_text(tmp_path / f"{name}.link", "new")
        assert (tmp_path / f"{name}.link").is_symlink()
        assert (tmp_path / name).read_text() == "new"


def test_a_pipe_is_given_the_whole_and_stays_a_pipe(tmp_path):
    """Whoever reads it, as a shell's >(command), gets everything."""
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    require_writable(pipe)
    write_text(pipe, "all of it" * 50_000)
    reader.join()
    assert read == ["all of it" * 50_000]
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_device_stays_one():
    """What is sent to a terminal of one's own goes there, and the device is still there."""
    ours, theirs = os.openpty()
    device = Path(os.ttyname(theirs))
    require_writable(device)
    write_text(device, "said")
    assert os.read(ours, 100) == b"said"
    assert device.is_char_device()


@pytest.mark.parametrize("name", ["", "gone/a.txt", "a\0b"])
def test_a_path_of_no_file_is_refused_before_the_work(tmp_path, name, one_line):
    """A folder, a folder that is not there, a name that no file can have: one line."""
    with pytest.raises(InputError) as caught:
        require_writable(tmp_path / name, "--out")
    one_line(caught.value, "--out")


def test_what_a_link_leads_to_must_be_writable(tmp_path, one_line):
    """The check is made where the file would be written; a link to itself is refused like any other."""
    (tmp_path / "away.wav").symlink_to(tmp_path / "gone" / "x.wav")
    (tmp_path / "round.wav").symlink_to(tmp_path / "round.wav")
    for name in ("away.wav", "round.wav"):
        with pytest.raises(InputError) as caught:
            require_writable(tmp_path / name)
        one_line(caught.value, name)
    with pytest.raises(InputError), written(tmp_path / "round.wav"):
        pass

"""Where trials are kept: what is said of a database that cannot be used."""

import sys

import pytest

from voiceperf.errors import InputError
from voiceperf.tune.study import storage_at


@pytest.mark.parametrize("url", ["gone://x", "nothing", "sqlite:////gone/away/tune.db"])
def test_a_database_that_cannot_be_opened_is_named(tmp_path, one_line, url):
    """A URL that leads nowhere is one line that names it."""
    with pytest.raises(InputError) as caught:
        storage_at(tmp_path, url)
    one_line(caught.value, "--database", "cannot be opened")


@pytest.mark.parametrize("url", ["gone://me:secret@x", "me:secret@x", "postgresql://me:secret@127.0.0.1:1/x"])
def test_no_message_shows_a_databases_password(tmp_path, one_line, url):
    """Whatever is wrong with a URL, the password in it stays unsaid."""
    with pytest.raises(InputError) as caught:
        storage_at(tmp_path, url)
    one_line(caught.value, "--database")
    assert "secret" not in str(caught.value)


def test_the_driver_that_a_database_needs_is_named(tmp_path, one_line, monkeypatch):
    """Without it, PostgreSQL's URL ends in the line that installs it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError) as caught:
        storage_at(tmp_path, "postgresql://me@127.0.0.1:1/x")
    one_line(caught.value, "psycopg", "pip install")

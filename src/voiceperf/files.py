"""Files of people: read with one line for whatever can be wrong with them, and written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from voiceperf.errors import InputError

LARGEST_TEXT_BYTES = 2**28  # no call, manifest, profile or saved run comes near


def shown(path: Path | str) -> str:
    """A path as it can be printed anywhere: bytes that are no text are escaped."""
    return str(path).encode(errors="backslashreplace").decode()


def is_file(path: Path) -> bool:
    """Whether a file is there; a path that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_dir(path: Path) -> bool:
    """Whether a folder is there, by the same rule."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def read_bytes(path: Path, what: str = "file") -> bytes:
    """A whole file.

    Raises:
        InputError: it is missing, is a folder, is too large, or cannot be read; `what` is what it should be.
    """
    if is_dir(path):
        raise InputError(f"{shown(path)}: is a folder; name a {what}")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_TEXT_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{shown(path)}: no such {what}") from None
    except (OSError, ValueError) as error:  # a null character in a path is a ValueError
        raise InputError(f"{shown(path)}: cannot be read ({reason_of(error)})") from None
    if len(content) > LARGEST_TEXT_BYTES:
        raise InputError(f"{shown(path)}: more than {LARGEST_TEXT_BYTES // 2**20} MiB; that is no {what}")
    return content


def read_text(path: Path, what: str = "file") -> str:
    """A whole text in UTF-8.

    Raises:
        InputError: as `read_bytes`, or it is in another encoding.
    """
    try:
        return read_bytes(path, what).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(
            f"{shown(path)}: line {line} is not UTF-8; convert it, as in: iconv -f latin1 -t utf-8"
        ) from None


def read_toml(path: Path, what: str = "file") -> dict[str, Any]:
    """A TOML document.

    Raises:
        InputError: as `read_text`, or it is not TOML.
    """
    document: dict[str, Any] = parsed(tomllib.loads, read_text(path, what), path, "TOML")
    return document


def read_json(path: Path, what: str = "file") -> Any:
    """A JSON document.

    Raises:
        InputError: as `read_text`, or it is not JSON.
    """
    return parsed(json.loads, read_text(path, what), path, "JSON")


def parsed(parse: Callable[[str], Any], text: str, where: Path | str, language: str) -> Any:
    """What a parser makes of a text.

    Raises:
        InputError: it refuses the text, which may be nested too deeply, or hold a number of thousands of digits.
    """
    try:
        return parse(text)
    except RecursionError:
        raise InputError(f"{shown(where)}: not valid {language} (nested too deeply)") from None
    except ValueError as error:
        raise InputError(f"{shown(where)}: not valid {language} ({reason_of(error)})") from None


def require_writable(path: Path, option: str = "") -> None:
    """Refuse a path that nothing can be written to, before the work whose result it is for.

    Raises:
        InputError: names the path, and the option that it came by.
    """
    name = f"{option} {shown(path)}" if option else shown(path)
    try:
        path = _place(path)
        if path.is_dir():
            raise InputError(f"{name}: is a folder; name a file in it")
        if not path.name:
            raise InputError(f"{name}: names no file")
        if not path.parent.is_dir():
            raise InputError(f"{name}: its folder does not exist")
        if _is_special(path):
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        part = _part(path)
        part.touch()
        part.unlink()
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be written ({reason_of(error)}); name another place") from None


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A file beside the path to write to, which takes its place once it is whole.

    A link stays one: its target is written. A device or a pipe stays what it is, and is given the whole.

    Raises:
        InputError: it cannot be written; what stood there before is left as it was.
    """
    part: Path | None = None
    try:
        special, place = _is_special(path), _place(path)
        part = Path(tempfile.gettempdir(), f"voiceperf.{os.getpid()}.part") if special else _part(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        yield part
        if special:
            with part.open("rb") as whole, place.open("wb", buffering=0) as out:
                shutil.copyfileobj(whole, out)
        else:
            os.replace(part, place)
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(path)}: cannot be written ({reason_of(error)})") from None
    finally:
        with suppress(OSError, ValueError):
            if part:
                part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """A whole text in UTF-8.

    Raises:
        InputError: as `written`.
    """
    with written(path) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")


def refusal_of(error: OSError) -> str:
    """What a system refused, in one line with the path that it names."""
    name = f"{shown(os.fsdecode(error.filename))}: " if isinstance(error.filename, str | bytes) else ""
    return f"{name}{reason_of(error)}"


def reason_of(error: Exception) -> str:
    """An error's reason in one line, without the path, which the message has already."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(said.split()) or type(error).__name__


def _is_special(path: Path) -> bool:
    """Whether a path names a device or a pipe, such as /dev/null or a shell's >(command)."""
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))


def _place(path: Path) -> Path:
    """Where a file is written: of a link, its target.

    Raises:
        OSError: links that lead round in a circle.
    """
    circle = OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    try:
        place = path.resolve() if path.is_symlink() and not _is_special(path) else path
    except RuntimeError:  # of Python 3.11 and 3.12
        raise circle from None
    if place.is_symlink():  # where a circle is left as it is
        raise circle
    return place


def _part(path: Path) -> Path:
    """Of this process alone, so that two that write to one place do not meet."""
    return path.with_name(f"{path.name}.{os.getpid()}.part")

"""Kokoro's voices: a style vector for each count of phonemes. One by name or file, one of an archive, or a blend.

`af_heart`, `mine.bin`, `voices-v1.0.bin#am_adam`, `af_heart:0.7+bf_emma:0.3`.
"""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voiceperf.audio import Samples
from voiceperf.errors import EngineError, ModelError, ParameterError
from voiceperf.models.store import locate

SHAPE = (510, 1, 256)
_SOME = 8  # of an archive's names that an error lists


@dataclass(frozen=True)
class Part:
    """A voice, and how much of a blend it is. `member` is its name in an archive; empty for a file of one voice."""

    file: str
    member: str
    weight: float

    def path(self) -> Path:
        """Where the file is.

        Raises:
            ModelError: it is not there.
        """
        return locate(self.file)


def parts_of(voice: str) -> list[Part]:
    """What a voice is blended of, in shares that add up to 1.

    Raises:
        ParameterError: a share is no number above zero.
    """
    if _is_file(voice):
        return [Part(voice, "", 1.0)]
    parts = [_part(voice, one) for one in voice.split("+")]
    total = sum(part.weight for part in parts)
    return [Part(part.file, part.member, part.weight / total) for part in parts]


def _is_file(name: str) -> bool:
    try:
        return locate(name).is_file()
    except ModelError:
        return False


def _part(voice: str, text: str) -> Part:
    name, colon, share = text.rpartition(":")
    name, share = (name, share) if colon else (text, "1")
    try:
        weight = float(share)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise ParameterError(f"voice {voice!r}: the share {share!r} must be a number above 0, as in a:0.7+b:0.3")
    file, _, member = name.strip().partition("#")
    return Part(file, member, weight)


def load_voice(voice: str) -> Samples:
    """Read a voice, and blend it where it has parts; shape `SHAPE`.

    Raises:
        ModelError: a file is not there.
        ParameterError: a share is none, or an archive has no such voice.
        EngineError: a file is no voice.
    """
    styles = [part.weight * _style(part) for part in parts_of(voice)]
    return np.asarray(sum(styles[1:], start=styles[0]), dtype=np.float32)


def _style(part: Part) -> Samples:
    path = part.path()
    if zipfile.is_zipfile(path):
        return _member(path, part.member)[1]
    if part.member:
        raise ParameterError(f"voice {part.file}#{part.member}: {path.name} holds a single voice; leave #... out")
    raw = np.fromfile(path, dtype="<f4")
    if raw.size != np.prod(SHAPE):
        raise EngineError(f"{path}: not a Kokoro voice ({raw.size} numbers, {np.prod(SHAPE)} wanted)")
    return raw.reshape(SHAPE)


def _member(path: Path, member: str) -> tuple[str, Samples]:
    """A voice of an archive with its name there; the only one needs none."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = sorted(archive.files)
            if not member and len(names) == 1:
                member = names[0]
            if member not in names:
                some = ", ".join(names[:_SOME]) + (", ..." if len(names) > _SOME else "")
                raise ParameterError(
                    f"voice {path.name}#{member}: it holds {some}; name one, as {path.name}#{names[0]}"
                )
            style = np.asarray(archive[member], dtype=np.float32)
    except (OSError, ValueError, IndexError, zipfile.BadZipFile) as error:
        raise EngineError(f"{path}: not an archive of voices ({error})") from None
    if style.size != np.prod(SHAPE):
        raise EngineError(f"{path}#{member}: not a Kokoro voice ({style.size} numbers, {np.prod(SHAPE)} wanted)")
    return member, style.reshape(SHAPE)


def as_code(voice: str) -> str:
    """The Python expression that reads a voice with NumPy alone."""
    terms = []
    for part in parts_of(voice):
        path = part.path()
        if zipfile.is_zipfile(path):
            read = f"np.load({str(path)!r})[{_member(path, part.member)[0]!r}]"
        else:
            read = f'np.fromfile({str(path)!r}, "<f4")'
        terms.append(f"{part.weight:g} * {read}.reshape{SHAPE}")
    return " + ".join(terms)

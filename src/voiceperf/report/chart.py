"""The ground of every picture: one look in light and dark, words on hovering, and SVG that a page takes in."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from voiceperf.errors import InputError
from voiceperf.files import require_writable, written

WIDTH_IN = 5.2
"""Of a picture in a page: as wide as a phone, so that its words can be read there."""

INK, MUTED, GRID = "#1b1f24", "#5b6472", "#d9dde3"
BASELINE, CANDIDATE, FAILED = "#7a8496", "#0b66c3", "#b42318"
_NAMES = {INK: "ink", MUTED: "muted", GRID: "grid", BASELINE: "baseline", CANDIDATE: "candidate", FAILED: "failed"}
"""The page's style sheet gives each another value in the dark."""

_LOOK: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "grid.color": GRID,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


@contextmanager
def look() -> Iterator[None]:
    """Within it every figure is drawn alike."""
    with mpl.rc_context(_LOOK):  # type: ignore[arg-type]  # it names every setting there is
        yield


class Chart:
    """One picture, whose parts say more when pointed at."""

    def __init__(self, height_in: float, width_in: float = WIDTH_IN) -> None:
        self.figure = Figure(figsize=(width_in, height_in))
        self.axes: Axes = self.figure.subplots()
        self._tips: dict[str, str] = {}

    def tip(self, artist: Artist, words: str) -> None:
        """Say this where the pointer rests on a part."""
        name = f"tip{len(self._tips)}"
        artist.set_gid(name)
        self._tips[name] = words

    def as_svg(self, name: str, label: str) -> Markup:
        """For a page: in the page's own colours, as wide as its place, every id the picture's own.

        Args:
            name: unique in the page; letters and digits of it are kept.
            label: what a screen reader says of it.
        """
        written = io.StringIO()
        name = re.sub(r"[^A-Za-z0-9]+", "-", name)
        with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):  # words stay words
            self.figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
        svg = written.getvalue()
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
        svg = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", re.sub(r' height="[^"]*pt"', "", svg, count=1), count=1)
        for tip, words in self._tips.items():
            svg = svg.replace(f'<g id="{tip}">', f'<g id="{tip}"><title>{html.escape(words)}</title>', 1)
        svg = re.sub(r'id="([^"]+)"', rf'id="{name}-\1"', svg)
        svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
        for colour, variable in _NAMES.items():
            svg = svg.replace(colour, f"var(--{variable})")
        svg = svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(label)}" ', 1)
        return Markup(svg)  # of the plotting library, every word of ours escaped above


def require_picture(path: Path) -> None:
    """Refuse a path that no picture can be written to.

    Raises:
        InputError: its ending is neither .png nor .svg, or nothing can be written there.
    """
    if path.suffix not in (".png", ".svg"):
        raise InputError(f"{path}: a picture ends in .png or .svg")
    require_writable(path)


def save(figure: Figure, path: Path) -> None:
    """As the path's ending says, PNG or SVG; the file appears whole or not at all.

    Raises:
        InputError: no picture can be written there.
    """
    require_picture(path)
    with written(path) as part:
        figure.savefig(part, dpi=120, format=path.suffix[1:])

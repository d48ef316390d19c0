"""What a project says of itself: `[tool.voiceperf]` in its pyproject.toml.

```toml
[tool.voiceperf]
candidate = "agent/voice.toml"     # paths are relative to this file
call = "tests/calls/support.toml"
manifest = "tests/speech/manifest.jsonl"
baselines = ["fair", "agent/last-release.toml"]
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voiceperf.errors import InputError
from voiceperf.files import is_file, read_toml, shown

FILES = ("call", "manifest", "conversations", "texts")
PROFILES = ("profile", "baseline", "candidate")
BASELINES = "baselines"  # of the suite
_FILE = "pyproject.toml"


def defaults(folder: Path) -> dict[str, Any]:
    """The options that the project around a folder sets, by name; none without such a table.

    Raises:
        InputError: the file is damaged, or sets what there is not.
    """
    path = next((file for place in (folder, *folder.parents) if is_file(file := place / _FILE)), None)
    if path is None:
        return {}
    tool = read_toml(path, "project file").get("tool", {})
    table = tool.get("voiceperf", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise InputError(f"{shown(path)}: [tool.voiceperf] must be a table")
    if unknown := set(table) - {*FILES, *PROFILES, BASELINES}:
        known = ", ".join((*FILES, *PROFILES, BASELINES))
        raise InputError(f"{shown(path)}: [tool.voiceperf] has no {', '.join(sorted(unknown))}; there are {known}")
    return {name: _resolved(path, name, value) for name, value in table.items()}


def _resolved(path: Path, name: str, value: Any) -> Any:
    """A path from the project file's folder; a profile that is no file there is a shipped one's name."""
    if name == BASELINES and isinstance(value, list):
        return [_resolved(path, PROFILES[0], one) for one in value]
    if name == BASELINES or not isinstance(value, str):
        kind = "a list of texts" if name == BASELINES else "a text"
        raise InputError(f"{shown(path)}: [tool.voiceperf] {name} must be {kind}")
    file = path.parent / value
    return str(file) if name in FILES or is_file(file) else value

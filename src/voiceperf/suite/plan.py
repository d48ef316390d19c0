"""What a session of the suite is about: whose profiles, which call, and how much is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voiceperf.call import CallRecording, Turn
from voiceperf.errors import InputError
from voiceperf.history.runs import CONTROL
from voiceperf.measure.contender import Contender, Side
from voiceperf.profiles import Profile
from voiceperf.quality.corpus import EVERYTHING, Portion
from voiceperf.roles import ROLES

BASELINES = ("seed", "fair", "upstream")  # profiles that a candidate must beat, each of them


@dataclass(frozen=True)
class Form:
    """How much is measured: the full form proves, the short form only catches what is surely broken.

    Attributes:
        name: what it is asked for by.
        baselines: the profiles that the candidate is held against where nobody names any.
        every_turn: of the call, or only three of them.
        portion: of the corpus that quality is judged on.
        load_s: how long the engines are kept busy at once.
    """

    name: str
    baselines: tuple[str, ...]
    every_turn: bool
    portion: Portion
    load_s: float

    def turns(self, call: CallRecording) -> Sequence[Turn]:
        """All turns, or the first, the middle one and the last."""
        turns = call.turns
        return turns if self.every_turn else [turns[0], turns[len(turns) // 2], turns[-1]][: len(turns)]


DEFAULT_FORM = "short"
FORMS = {
    "full": Form("full", BASELINES, True, EVERYTHING, 40.0),
    "short": Form("short", ("fair",), False, Portion(2, 4), 15.0),
}


@dataclass(frozen=True)
class Plan:
    """What a session is about."""

    call: CallRecording
    baselines: tuple[Profile, ...]
    candidate: Profile
    form: Form
    manifest: Path
    conversations: Path
    texts: Path | None = None
    max_rss_bytes: int | None = None  # of the candidate's engines together; by their models' sizes where it is not said

    def __post_init__(self) -> None:
        baselines = [profile.name for profile in self.baselines]
        if len(set(baselines)) < len(baselines):
            raise InputError(f"baselines {', '.join(baselines)}: two of one name; rename a file")
        if self.candidate.name in (*baselines, CONTROL):
            taken = "the control's" if self.candidate.name == CONTROL else "a baseline's"
            raise InputError(f"candidate {self.candidate.name}: that is {taken} name; name another profile or file")

    def sides(self) -> dict[str, Side]:
        """The baselines and the candidate, by name."""
        return {profile.name: Side(profile.name, profile) for profile in (*self.baselines, self.candidate)}

    def contenders(self) -> list[Contender]:
        """Every engine under every profile."""
        return [side.contender(role) for side in self.sides().values() for role in ROLES]

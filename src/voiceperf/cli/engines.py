"""`voiceperf transcribe|reply|speak`: one engine under one profile, on the user's own input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from voiceperf import profiles
from voiceperf.audio import read_speech, write_wav
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.engines import params_class, without_missing
from voiceperf.engines.base import Line, Prompt, Reply, Speech, Transcript, Utterance
from voiceperf.errors import InputError
from voiceperf.files import require_writable, shown
from voiceperf.log import say
from voiceperf.measure.contender import Contender, of_profile
from voiceperf.measure.process import WorkerProcess
from voiceperf.profiles import Profile
from voiceperf.quality.corpus import read_manifest
from voiceperf.roles import HEARING, SPEAKING, THINKING
from voiceperf.suite import standing

ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="A shipped profile or a TOML file (default: this machine's own, else shipped).",
        autocompletion=complete.profile_names,
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Change one parameter, as in --set n_threads=2; may be repeated.", autocompletion=complete.changes
    ),
]


def chosen_profile(name: str | None) -> Profile:
    """The profile that is named, or the one in force; why this machine's own is not, is said."""
    if name is not None:
        return profiles.load(name)
    chosen, remark = standing.in_force()
    if remark:
        say(remark)
    return chosen


def contender(role: str, profile: str | None, changes: list[str] | None) -> Contender:
    """A profile's engine of a role with the command line's changes; the profile in force where none is named."""
    chosen = chosen_profile(profile)
    engine = chosen.engine_of(role)
    wanted = of_profile(chosen, role, params_class(engine).parse_changes(changes or ()))
    params, lacking = without_missing(wanted.params)
    for name, reason in lacking.items():
        say(f"{engine}.{name} is left out: {reason}")
    return replace(wanted, params=params, written=params.as_dict()) if lacking else wanted


@app.command(rich_help_panel=Group.USE)
def transcribe(
    files: Annotated[list[Path] | None, typer.Argument(help="Sound files of any rate, mono or stereo.")] = None,
    manifest: Annotated[Path | None, typer.Option(help="A manifest whose recordings to transcribe.")] = None,
    profile: ProfileName = None,
    changes: Changes = None,
    as_json: Json = False,
) -> None:
    """Hear recordings."""
    paths = [*(files or []), *([r.path for r in read_manifest(manifest)] if manifest else [])]
    if not paths:
        raise InputError("nothing to transcribe: name sound files, or --manifest FILE")
    chosen = contender(HEARING, profile, changes)
    for path in paths:
        read_speech(path)  # a bad file is said before the first one costs any work
    with WorkerProcess(chosen) as worker:
        for path in paths:
            timing, output = worker.stream(Utterance(read_speech(path)), _Progress(path).step)
            assert isinstance(output, Transcript)
            if as_json:
                row = {"file": str(path), "text": output.text, "wall_ms": timing.wall_ms, "audio_s": output.audio_s}
                print_json({**row, "tokens": output.tokens, "probability": output.probability, "rtf": timing.rtf})
            else:
                typer.echo(f"{shown(path)}: {output.text}  [{timing.wall_ms:.0f} ms for {output.audio_s:.2f} s]")


class _Progress:
    """Says of a long recording every tenth that is heard."""

    def __init__(self, path: Path) -> None:
        self._path, self._said = path, 0

    def step(self, _: str, done: float) -> None:
        if int(done * 10) > self._said:
            self._said = int(done * 10)
            say(f"{shown(self._path)}: {done:.0%} heard")


@app.command(rich_help_panel=Group.USE)
def reply(
    text: Annotated[str, typer.Argument(help="What the caller says.")],
    system: Annotated[str, typer.Option(help="The system prompt.")] = "You answer the phone. Be brief and friendly.",
    profile: ProfileName = None,
    changes: Changes = None,
    as_json: Json = False,
) -> None:
    """Answer a caller."""
    if not text.strip():
        raise InputError("there is no text to answer")
    prompt = Prompt(({"role": "system", "content": system}, {"role": "user", "content": text}))
    with WorkerProcess(contender(THINKING, profile, changes)) as worker:
        timing, output = worker.once(prompt)
    assert isinstance(output, Reply)
    if as_json:
        print_json({"text": output.text, **timing.as_record()})
    else:
        typer.echo(output.text)
        first = f"first after {timing.ttft_ms:.0f} ms" if timing.ttft_ms is not None else "nothing was said"
        say(f"[{timing.wall_ms:.0f} ms, {output.tokens} tokens, {first}]")


@app.command(rich_help_panel=Group.USE)
def speak(
    text: Annotated[str, typer.Argument(help="What to say.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The WAV file to write.")] = Path("speech.wav"),
    profile: ProfileName = None,
    changes: Changes = None,
    as_json: Json = False,
) -> None:
    """Speak a text into a WAV file."""
    if not text.strip():
        raise InputError("there is no text to speak")
    require_writable(out, "--out")
    line = Line(text)
    with WorkerProcess(contender(SPEAKING, profile, changes)) as worker:
        timing, output = worker.once(line)
    assert isinstance(output, Speech)
    write_wav(out, output.audio, output.rate_hz)
    if as_json:
        print_json({"file": str(out), **timing.as_record()})
    else:
        factor = f" (RTF {timing.rtf:.2f})" if timing.rtf is not None else ""
        say(f"{out}: {output.heard_s:.2f} s heard, made in {timing.wall_ms:.0f} ms{factor}")

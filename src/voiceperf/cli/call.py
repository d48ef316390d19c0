"""`voiceperf call new`: the user's own recording becomes a call that the suite can replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from voiceperf import profiles
from voiceperf.audio import SPEECH_RATE_HZ, Samples, read_speech
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.conversation import Message
from voiceperf.engines.base import Prompt, Reply, Transcript, Utterance
from voiceperf.errors import InputError
from voiceperf.files import shown
from voiceperf.log import say
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess
from voiceperf.newcall.draft import DraftedTurn, Header, draft, require_new, write
from voiceperf.newcall.speech import replies, spans
from voiceperf.roles import HEARING, THINKING
from voiceperf.vad import SpeechDetector

_MOST_ACCURATE = "fair"  # hears with the whole context and unrounded weights, as no tuned setting does

_GREETING = "Hello, how can I help you?"


class Channel(StrEnum):
    """A channel of a recording of two."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def number(self) -> int:
        """From 0."""
        return [*Channel].index(self)

    @property
    def other(self) -> Channel:
        return Channel.RIGHT if self is Channel.LEFT else Channel.LEFT


call_app = typer.Typer(help="Your own calls.", no_args_is_help=True)
app.add_typer(call_app, name="call", rich_help_panel=Group.SET_UP)


@call_app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Where to write the call; it must not exist yet.")],
    recording: Annotated[Path, typer.Option("--from", help="What the caller said: any rate, mono or stereo.")],
    agent: Annotated[
        Channel | None,
        typer.Option(help="The agent's channel: what it says there becomes the greeting and the replies."),
    ] = None,
    system: Annotated[
        str, typer.Option(help="The agent's system prompt.")
    ] = "You answer the phone. Answer in one or two short sentences.",
    greeting: Annotated[str, typer.Option(help="What the agent says first.")] = _GREETING,
    voice: Annotated[str, typer.Option(help="The voice that speaks the replies.")] = "af_heart",
    profile: Annotated[
        str,
        complete.profile_option("The profile that drafts; the default hears most accurately."),
    ] = _MOST_ACCURATE,
    as_json: Json = False,
) -> None:
    """Cut a recording into turns, draft transcripts and replies, and write a call file for you to correct.

    Speech is found by Silero's VAD; a pause of 0.7 s ends a turn. Then: pytest --voiceperf-call=DIR.
    """
    require_new(folder)
    header = Header(shown(recording.stem), voice, system, greeting)
    audio = read_speech(recording, None if agent is None else agent.other.number)
    detector = SpeechDetector()
    found = spans([*detector.probabilities(audio)])
    if not found:
        raise InputError(f"{recording}: no speech found in {len(audio) / SPEECH_RATE_HZ:.1f} s")
    turns, said = [], [""]
    chosen = profiles.load(profile)
    with WorkerProcess(of_profile(chosen, HEARING)) as ear, WorkerProcess(of_profile(chosen, THINKING)) as mind:
        if agent is not None:
            reply_audio = read_speech(recording, agent.number)
            after = replies(found, spans([*detector.probabilities(reply_audio)]))
            said = [" ".join(_hear(ear, reply_audio[first:end]) for first, end in spoken) for spoken in after]
        if said[0].strip() and greeting == _GREETING:
            header = replace(header, greeting=said[0].strip())
        parts = [audio[first:end] for first, end in found]
        hear, answer = (lambda sound: _hear(ear, sound)), (lambda messages: _answer(mind, messages))
        for turn in draft(header, parts, hear, answer, said[1:]):
            turns.append(turn)
            say(f"turn {len(turns)}, {turn.seconds:.1f} s: {turn.transcript}")
    path = write(folder, header, turns)
    if as_json:
        print_json({"call": str(path), "turns": [_as_record(turn) for turn in turns]})
    else:
        say(f"{path}: {len(turns)} turns; correct the transcripts, then: pytest --voiceperf-call={folder}")


def _hear(worker: WorkerProcess, audio: Samples) -> str:
    _, output = worker.once(Utterance(audio))
    assert isinstance(output, Transcript)
    return output.text


def _answer(worker: WorkerProcess, messages: Sequence[Message]) -> str:
    _, output = worker.once(Prompt(tuple(messages)))
    assert isinstance(output, Reply)
    return output.text


def _as_record(turn: DraftedTurn) -> dict[str, object]:
    return {"transcript": turn.transcript, "reply": turn.reply, "seconds": turn.seconds}

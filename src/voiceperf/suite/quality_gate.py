"""The quality gate: each engine's candidate against each baseline, judged once and remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voiceperf.files import read_bytes
from voiceperf.judge.language import MAX_KLD_NATS
from voiceperf.judge.sound import MAX_LOG_SPECTRAL_DB
from voiceperf.judge.text import WER_MARGIN, Heard
from voiceperf.judge.verdict import Finding, Verdict, worst
from voiceperf.suite.corpus import Recording, read_conversations, read_manifest
from voiceperf.suite.examples import Examples
from voiceperf.suite.outputs import Outputs, Remembering
from voiceperf.suite.quality import (
    Step,
    compare_kokoro,
    compare_llama,
    compare_whisper,
    silent,
    speak_and_hear,
    transcripts,
)
from voiceperf.suite.workers import Workers
from voiceperf.suite.workloads import ENGINES_OF

CHUNK_SECONDS = (0.4, 8.0)  # what a caller says in one go


@dataclass(frozen=True)
class Quality:
    """One engine's quality against a baseline: the finding, and in words for the table.

    `loss` is what the engine's own measure lost, as a share of what it may lose: 1 is the gate's limit.
    """

    finding: Finding
    text: str
    loss: float | None = None


@dataclass(frozen=True)
class Corpus:
    """What quality is judged on; of the recordings, every nth."""

    manifest: Path
    conversations: Path
    every_nth: int

    def digest(self) -> str:
        """Of all texts and sounds: two runs are judged on the same material, or are not compared."""
        found = hashlib.sha256(read_bytes(self.manifest) + read_bytes(self.conversations))
        for recording in read_manifest(self.manifest):
            found.update(read_bytes(recording.path))
        return found.hexdigest()


class QualityGate:
    """Asks the workers for outputs and judges them. What two profiles share is computed once."""

    def __init__(
        self,
        workers: Workers,
        candidate: str,
        corpus: Corpus,
        *,
        step: Step = silent,
        outputs: Outputs | None = None,
        examples: Examples | None = None,
    ) -> None:
        self._workers, self._candidate, self.corpus, self._step = workers, candidate, corpus, step
        self._judged: dict[Any, tuple[str, Quality]] = {}  # with the baseline that was asked
        self._outputs = {} if outputs is None else outputs  # gates may share them
        self._examples = examples
        self.scores: dict[str, dict[str, dict[str, Any]]] = {}
        self.perplexity: float | None = None

    def judge(self, workload: str, baseline: str) -> Quality:
        """The quality of the engine that does the work; for the whole call that of all three."""
        parts = [self._judge_engine(engine, baseline) for engine in ENGINES_OF[workload]]
        return parts[0] if len(parts) == 1 else Quality(worst(part.finding for part in parts), "all of the above")

    def _judge_engine(self, engine: str, baseline: str) -> Quality:
        key = (engine, self._outcome(baseline, engine))
        if key not in self._judged:
            self._judged[key] = baseline, getattr(self, f"_{engine}")(baseline)
        judged, quality = self._judged[key]
        if self._examples:
            self._examples.alike(engine, judged, baseline)
        return quality

    def _outcome(self, profile: str, engine: str) -> Any:
        """Sides that differ only in threads hear, think and speak alike, and are judged once."""
        return self._workers.get(profile, engine).contender.outcome()

    def _recordings(self) -> list[Recording]:
        shortest, longest = CHUNK_SECONDS
        chunks = [r for r in read_manifest(self.corpus.manifest) if shortest <= r.seconds <= longest]
        return chunks[:: self.corpus.every_nth]

    def _transcripts(self, profile: str, recordings: list[Recording]) -> list[str]:
        return transcripts(Remembering(self._workers.get(profile, "whisper"), self._outputs), recordings, self._step)

    def _whisper(self, baseline: str) -> Quality:
        recordings = self._recordings()
        before, after = (self._transcripts(profile, recordings) for profile in (baseline, self._candidate))
        compared = compare_whisper(recordings, before, after)
        if compared is None:
            return _unjudged("no words were spoken")
        root = self.corpus.manifest.parent
        named = {recording.path.relative_to(root).as_posix(): recording for recording in recordings}
        spoken = [(name, recording.speaker) for name, recording in named.items()]
        self._keep_scores("whisper", spoken, compared.candidate)
        if self._examples:
            self._examples.heard(baseline, named, before)
            self._examples.heard(self._candidate, named, after)
        text = (
            f"WER {compared.baseline_wer:.1%} -> {compared.candidate_wer:.1%}"
            f" (upper {compared.difference.high * 100:+.1f} points, {compared.difference.samples} utterances)"
        )
        return Quality(compared.finding(), text, compared.difference.estimate / WER_MARGIN)

    def _llama(self, baseline: str) -> Quality:
        before, after = self._workers.get(baseline, "llama"), self._workers.get(self._candidate, "llama")
        compared = compare_llama(before, after, read_conversations(self.corpus.conversations))
        if compared is None:
            return _unjudged("no conversation to score")
        self.perplexity = compared.candidate_perplexity
        text = (
            f"KLD {compared.mean_kld_nats:.4f}, top-1 {compared.top1_agreement:.1%},"
            f" perplexity x{compared.perplexity_ratio:.3f} ({compared.tokens} tokens)"
        )
        return Quality(compared.finding(), text, compared.mean_kld_nats / MAX_KLD_NATS)

    def _kokoro(self, baseline: str) -> Quality:
        before = Remembering(self._workers.get(baseline, "kokoro"), self._outputs)
        after = Remembering(self._workers.get(self._candidate, "kokoro"), {})
        listener = Remembering(self._workers.get(self._candidate, "whisper"), self._outputs)
        lines = self._lines()
        compared = compare_kokoro(before, after, listener, list(lines.values()), self._step)
        if compared is None:
            return _unjudged("no reply to speak")
        self._keep_scores("kokoro", [(name, name) for name in lines], compared.round_trip.candidate)
        if self._examples:
            for turn in self._workers.call.turns:
                for profile, speaker in ((baseline, before), (self._candidate, after)):
                    speech, heard = speak_and_hear(speaker, listener, turn.reply)
                    self._examples.spoken(profile, f"turn {turn.number}", turn.reply, speech, heard)
        text = (
            f"round trip WER {compared.round_trip.baseline_wer:.1%} -> {compared.round_trip.candidate_wer:.1%},"
            f" log-mel {compared.log_spectral_db:.2f} dB, pace {compared.pace_shift:+.1%}, {len(lines)} texts"
        )
        return Quality(compared.finding(), text, compared.log_spectral_db / MAX_LOG_SPECTRAL_DB)

    def _lines(self) -> dict[str, str]:
        """What is spoken, by name: the call's replies, and written answers, because seven replies bound no rate."""
        replies = {f"turn {turn.number}": turn.reply for turn in self._workers.call.turns}
        conversations = read_conversations(self.corpus.conversations)
        answers = [answer for conversation in conversations for _, answer in conversation.turns]
        numbered = list(enumerate(answers, start=1))[:: self.corpus.every_nth]
        return replies | {f"answer {number}": text for number, text in numbered}

    def _keep_scores(self, engine: str, spoken: Sequence[tuple[str, str]], scores: Sequence[Heard]) -> None:
        """For the saved run: how each utterance was heard, by its name."""
        self.scores[engine] = {
            name: {"speaker": speaker, **asdict(score)} for (name, speaker), score in zip(spoken, scores, strict=True)
        }


def _unjudged(reason: str) -> Quality:
    return Quality(Finding(Verdict.INVALID, reason), reason)

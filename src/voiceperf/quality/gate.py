"""The quality gate: one role of a candidate beside a baseline's, judged once and remembered."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from voiceperf.call import CallRecording
from voiceperf.errors import EngineError, ParameterError
from voiceperf.judge.answers import MAX_LOSS, compare_answers
from voiceperf.judge.language import MAX_KLD_NATS
from voiceperf.judge.recitals import MAX_EXTRA_NATS, extra_nats
from voiceperf.judge.sequential import look_confidence
from voiceperf.judge.sound import MAX_LOG_SPECTRAL_DB
from voiceperf.judge.speakers import ONE_SIDED
from voiceperf.judge.text import WER_MARGIN, Heard, HearingComparison
from voiceperf.judge.verdict import Finding, Verdict, loss_at_most, worst
from voiceperf.log import Progress, silent
from voiceperf.measure.contender import Side
from voiceperf.quality.corpus import Conversation, Corpus, Recording, replies
from voiceperf.quality.examples import Examples
from voiceperf.quality.hearing import as_written, compare_transcripts, recitals, transcripts
from voiceperf.quality.outputs import Outputs, Remembering, StaleError
from voiceperf.quality.speaking import compare_speech, speak_and_hear
from voiceperf.quality.thinking import OtherVocabularyError, answers, bits_a_byte, compare_scores
from voiceperf.roles import HEARING, ROLES, SCORES, SPEAKING, THINKING


@dataclass(frozen=True)
class Quality:
    """How well a role is played beside a baseline: the finding, and in words for the table.

    `loss` is what the role's own measure lost, as a share of what it may lose: 1 is the gate's limit.
    """

    finding: Finding
    text: str
    loss: float | None = None


class QualityGate:
    """Asks both sides for their outputs and judges them; its processes live only while it asks.

    Args:
        call: whose replies are spoken.
        corpus: what else is heard, scored and spoken.
        progress: told how far it is.
        outputs: gates may share them.
        examples: takes what was heard and said, for people.
    """

    def __init__(
        self,
        call: CallRecording,
        corpus: Corpus,
        *,
        progress: Progress = silent,
        outputs: Outputs | None = None,
        examples: Examples | None = None,
    ) -> None:
        self.call, self.corpus, self._progress = call, corpus, progress
        self._outputs = Outputs() if outputs is None else outputs
        self._examples = examples
        self._judged: dict[Any, tuple[str, Quality]] = {}  # with the baseline that was asked
        self.scores: dict[str, dict[str, dict[str, Any]]] = {}
        self.perplexity: float | None = None

    def judge(self, role: str, baseline: Side, candidate: Side) -> Quality:
        """The quality of one role. Sides that differ only in threads are judged once.

        Raises:
            EngineError: an engine fails.
        """
        key = (role, *(side.contender(role).outcome() for side in (baseline, candidate)))
        if key not in self._judged:
            self._judged[key] = baseline.name, self._judge(role, baseline, candidate)
        judged, quality = self._judged[key]
        if self._examples:
            self._examples.alike(role, judged, baseline.name)
        return quality

    def holds(self, role: str, baseline: Side, candidate: Side) -> Quality:
        """The same, of a candidate on trial: one that does not run is a FAIL, with the reason."""
        try:
            return self.judge(role, baseline, candidate)
        except (EngineError, ParameterError) as error:
            return Quality(Finding(Verdict.FAIL, str(error)), "does not run")

    def judge_all(self, baseline: Side, candidate: Side) -> Quality:
        """The quality of all three roles together."""
        parts = [self.judge(role, baseline, candidate) for role in ROLES]
        return Quality(worst(part.finding for part in parts), "all of the above")

    def _judge(self, role: str, baseline: Side, candidate: Side) -> Quality:
        judge = {HEARING: self._hears, THINKING: self._thinks, SPEAKING: self._speaks}[role]
        try:
            return judge(baseline, candidate)
        except StaleError as stale:
            sys.stderr.write(f"voiceperf: kept outputs of {stale} are not what it makes now; all are made anew\n")
            self._outputs.drop(baseline.contender(role))
            return judge(baseline, candidate)

    def _baseline(self, side: Side, role: str) -> Remembering:
        return self._outputs.of(side.contender(role), on_disk=True)

    def _candidate(self, side: Side, role: str, beside: Remembering, *, shared: bool = True) -> Remembering:
        """The baseline itself, where nothing that decides an output differs: it is not asked twice."""
        found = self._outputs.of(side.contender(role), shared=shared)
        return beside if found.identity == beside.identity else found

    def _hears(self, baseline: Side, candidate: Side) -> Quality:
        """On a portion of the recordings; on all of them where that leaves a doubt."""
        portion, everything = self.corpus.recordings(), self.corpus.whole().recordings()
        sizes = tuple(sorted({len(portion), len(everything)}))
        confidence = look_confidence(sizes, ONE_SIDED) if len(sizes) > 1 else ONE_SIDED
        found, compared, _ = self.hears(baseline, candidate, portion, confidence)
        if compared:
            speakers = {name: recording.speaker for name, recording in portion.items()}
            self._keep_scores(HEARING, speakers, compared.candidate)
        if found.finding.verdict not in (Verdict.PASS, Verdict.FAIL) and len(everything) > len(portion):
            found, *_ = self.hears(baseline, candidate, everything, confidence)
        return found

    def hears(
        self, baseline: Side, candidate: Side, named: Mapping[str, Recording], confidence: float = ONE_SIDED
    ) -> tuple[Quality, HearingComparison | None, Sequence[Sequence[str]]]:
        """The quality on some recordings, the comparison of the transcripts, and both sides' transcripts.

        Args:
            baseline: beside whom.
            candidate: who is judged.
            named: the recordings.
            confidence: of the two-sided intervals, whose upper ends are the bounds.

        Raises:
            EngineError: an engine fails.
        """
        recordings, language = list(named.values()), baseline.contender(HEARING).params.expects()
        can_score = not any(side.contender(HEARING).lacks({SCORES}) for side in (baseline, candidate))
        heard, scored = [], []
        written: dict[Recording, str] = {}
        before = self._baseline(baseline, HEARING)
        for listening in (before, self._candidate(candidate, HEARING, before)):
            with listening as listener:
                heard.append(transcripts(listener, recordings, self._progress))
                written = written or as_written(recordings, heard[0], language)
                if can_score:
                    scores = recitals(listener, written, self._progress)
                    can_score = scores is not None
                    scored.append(scores or [])
        compared = compare_transcripts(recordings, heard[0], heard[1], language, confidence)
        if compared is None:
            return _unjudged("no words were spoken"), None, heard
        if self._examples:
            for side, texts in zip((baseline, candidate), heard, strict=True):
                self._examples.heard(side.name, named, texts, language)
        text = (
            f"WER {compared.baseline_wer:.1%} -> {compared.candidate_wer:.1%}"
            f" (upper {compared.difference.high * 100:+.1f} points, {compared.difference.samples} utterances)"
        )
        findings, loss = [compared.finding()], compared.difference.estimate / WER_MARGIN
        if can_score:
            extra = extra_nats(scored[0], scored[1], [recording.speaker for recording in written], confidence)
            findings.append(loss_at_most(extra, MAX_EXTRA_NATS, "log probability lost a token (nats)"))
            if extra is not None:
                text += f", {extra.estimate:+.3f} nats a token (upper {extra.high:+.3f})"
                loss = max(loss, extra.estimate / MAX_EXTRA_NATS)
        return Quality(worst(findings), text, loss), compared, heard

    def _thinks(self, baseline: Side, candidate: Side) -> Quality:
        """By the models' scores where they can be compared, and by their answers where scores do not tell all.

        They do not where sides sample otherwise or run another program; nor of what the user's own checks ask.
        """
        conversations = self.corpus.scored()
        can_score = not any(side.contender(THINKING).lacks({SCORES}) for side in (baseline, candidate))
        found, bits = [], None
        with self._baseline(baseline, THINKING) as before, self._candidate(candidate, THINKING, before) as after:
            if can_score:
                try:
                    found.append(self._scores(before, after, conversations))
                except OtherVocabularyError:
                    can_score = False
                    with suppress(EngineError, ParameterError):  # it is shown beside the answers, which decide
                        bits = bits_a_byte(before, after, conversations)
            if not can_score or _may_word_otherwise(baseline, candidate) or any(one.checks for one in conversations):
                found.append(self._answers(before, after, conversations))
        losses = [one.loss for one in found if one.loss is not None]
        text = "; ".join(one.text for one in found)
        if bits:  # shown, and not judged: other models are meant to differ
            more = bits.more
            text += f", bits a byte {bits.baseline:.2f} -> {bits.candidate:.2f} [{more.low:+.2f}, {more.high:+.2f}]"
        return Quality(worst(one.finding for one in found), text, max(losses, default=None))

    def _scores(self, before: Remembering, after: Remembering, conversations: Sequence[Conversation]) -> Quality:
        compared = compare_scores(before, after, conversations)
        if compared is None:
            return _unjudged("no conversation to score")
        self.perplexity = compared.candidate_perplexity
        text = (
            f"KLD {compared.kld_nats.estimate:.4f}, top-1 {compared.top1_agreement:.1%},"
            f" perplexity x{compared.perplexity_ratio.estimate:.3f} ({compared.tokens} tokens)"
        )
        return Quality(compared.finding(), text, compared.kld_nats.estimate / MAX_KLD_NATS)

    def _answers(self, before: Remembering, after: Remembering, conversations: Sequence[Conversation]) -> Quality:
        """Callers hear answers, whatever the model's tokens are."""
        places = [number for number, conversation in enumerate(conversations) for _ in conversation.turns]
        first, second = (answers(one, conversations, self._progress) for one in (before, after))
        compared = compare_answers(first, second, places)
        if compared is None:
            return _unjudged("no conversation to answer")
        lost = compared.lost
        text = (
            f"{len(places)} answers, related {-lost.estimate:+.3f} (lower {-lost.high:+.3f}),"
            f" length x{compared.length_ratio:.2f}"
        )
        if compared.checks:
            text += f", checks passed {compared.passed[0]} -> {compared.passed[1]} of {compared.checks}"
        return Quality(compared.finding(), text, lost.estimate / MAX_LOSS)

    def _speaks(self, baseline: Side, candidate: Side) -> Quality:
        lines = self.corpus.lines(self.call)
        with (
            self._baseline(baseline, SPEAKING) as before,
            self._candidate(candidate, SPEAKING, before, shared=False) as after,
            self._outputs.of(candidate.contender(HEARING)) as listener,
        ):
            compared = compare_speech(before, after, listener, list(lines.values()), self._progress)
            if compared is None:
                return _unjudged("no reply to speak")
            self._keep_scores(SPEAKING, {name: name for name in lines}, compared.round_trip.candidate)
            if self._examples:
                for name, reply in replies(self.call).items():
                    for side, speaker in ((baseline, before), (candidate, after)):
                        said = speak_and_hear(speaker, listener, reply)
                        self._examples.spoken(
                            side.name, name, reply, *said, language=listener.contender.params.expects()
                        )
        text = f"round trip WER {compared.round_trip.baseline_wer:.1%} -> {compared.round_trip.candidate_wer:.1%}"
        loss = compared.round_trip.difference.estimate / WER_MARGIN
        if compared.log_spectral_db is not None:
            text += f", log-mel {compared.log_spectral_db:.2f} dB"
            loss = compared.log_spectral_db / MAX_LOG_SPECTRAL_DB
        text += f", pace {compared.pace_shift:+.1%}" if compared.pace_shift is not None else ", another voice"
        return Quality(compared.finding(), f"{text}, {len(lines)} texts", loss)

    def _keep_scores(self, role: str, speakers: Mapping[str, str], scores: Iterable[Heard]) -> None:
        """For the saved run: how each utterance was heard, by its name."""
        named = zip(speakers.items(), scores, strict=True)
        self.scores[role] = {name: {"speaker": speaker, **asdict(score)} for (name, speaker), score in named}


def _may_word_otherwise(baseline: Side, candidate: Side) -> bool:
    """Whether equal scores may become other answers."""
    before, after = (
        (side.python, side.env, side.contender(THINKING).params.wording()) for side in (baseline, candidate)
    )
    return before != after


def _unjudged(reason: str) -> Quality:
    return Quality(Finding(Verdict.INVALID, reason), reason)

"""A saved run in plain words: what got faster, by how much, how sure that is, and what it cost. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median
from typing import Any

from voiceperf.errors import InputError
from voiceperf.history.formerly import bar_of
from voiceperf.history.runs import CONTROL, Run
from voiceperf.judge.criteria import Bar, confidence_of_a_look
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Check, Finding, Verdict, applicable, worst, worst_verdict
from voiceperf.live.stages import OVERALL
from voiceperf.suite.workloads import CALL

SURE = f"{confidence_of_a_look():.0%}"
"""How sure an interval of a run's criteria is."""


@dataclass(frozen=True)
class Row:
    """A criterion against one baseline; times are each turn's median, and the geometric mean of those."""

    asked: Bar
    baseline: str
    figure: Interval | None
    bar: float
    aim: float | None
    verdict: Verdict
    reason: str
    quality: str
    quality_verdict: Verdict
    checks: tuple[Check, ...]
    before_ms: float | None
    after_ms: float | None

    @property
    def key(self) -> str:
        return self.asked.key

    @property
    def title(self) -> str:
        """For who knows nothing of speech."""
        return f"{self.asked.plain}, against {self.baseline}" if self.baseline else self.asked.plain

    @property
    def is_saving(self) -> bool:
        """Whether its figure is a share of the baseline's time; else it is the candidate's own."""
        return self.asked.is_relative

    @property
    def figure_in_words(self) -> str:
        return "not measured" if self.figure is None else self._in_words(self.figure.estimate)

    @property
    def interval_in_words(self) -> str:
        """Empty for a figure without a sampling error."""
        if self.figure is None or self.figure.low == self.figure.high:
            return ""
        return f"[{self._in_words(self.figure.low)}, {self._in_words(self.figure.high)}]"

    @property
    def bar_in_words(self) -> str:
        return f"{self.bar - 1:+.0%}" if self.is_saving else f"{self.bar:g}"

    def _in_words(self, value: float) -> str:
        return f"{value - 1:+.1%}" if self.is_saving else f"{value:.2f}"


Pairs = Mapping[int, Sequence[tuple[float, float]]]
"""By turn the (baseline, candidate) milliseconds of every pair."""


@dataclass(frozen=True)
class Story:
    """What a run tells. `pairs` are by workload and baseline, `stages_ms` by profile and turn."""

    run: Run
    candidate: str
    rows: tuple[Row, ...]
    pairs: Mapping[tuple[str, str], Pairs]
    stages_ms: Mapping[str, Mapping[int, Sequence[Mapping[str, float]]]]
    examples: Mapping[str, Mapping[str, Mapping[str, Any]]]

    @property
    def baselines(self) -> list[str]:
        """The hardest to beat first, by the whole answer."""
        savings = {row.baseline: row.figure.estimate for row in self.rows if row.key == CALL and row.figure}
        names = dict.fromkeys(row.baseline for row in self.rows if row.is_saving)
        return sorted(names, key=lambda name: -savings.get(name, 0.0))

    def rows_beside(self, baseline: str) -> list[Row]:
        """The criteria against one baseline; with those against none, where it is the hardest to beat."""
        others = [row for row in self.rows if row.baseline not in self.baselines and baseline == self.baselines[0]]
        return [*(row for row in self.rows if row.baseline == baseline), *others]

    @property
    def verdict(self) -> Verdict:
        return worst(applicable(Finding(row.verdict, row.reason) for row in self.rows)).verdict

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        if self.verdict is Verdict.PASS:
            return f"{self._gain()}, and hearing, thinking and speaking stay within their limits of quality."
        decisive = [row for row in self.rows if row.verdict is self.verdict]
        about = "; ".join(dict.fromkeys(row.asked.plain for row in decisive))
        return {
            Verdict.FAIL: f"{self.candidate} does not hold: {about}.",
            Verdict.INCONCLUSIVE: f"It cannot be told whether {self.candidate} holds; measure longer: {about}.",
            Verdict.NOT_APPLICABLE: f"Nothing could be judged with these engines: {about}.",
            Verdict.INVALID: f"Not everything was measured, so nothing is promised: {about}.",
        }[self.verdict]

    def _gain(self) -> str:
        row = self._overall()
        if row is None or row.figure is None or row.before_ms is None or row.after_ms is None:
            return f"{self.candidate} holds every bar"
        return (
            f"{self.candidate} answers a caller {1 - row.figure.estimate:.0%} sooner than {row.baseline}, "
            f"after {row.after_ms:.0f} ms instead of {row.before_ms:.0f}"
        )

    @property
    def how_sure(self) -> str:
        """What the headline's figure may be off by."""
        row = self._overall()
        if row is None or row.figure is None:
            return ""
        low, high = 1 - row.figure.high, 1 - row.figure.low
        return (
            f"With {SURE} certainty the saving is between {low:.1%} and {high:.1%}; each time was measured beside the "
            "other setting's, within seconds, so that a busy machine slows both."
        )

    def _overall(self) -> Row | None:
        by_baseline = {row.baseline: row for row in self.rows if row.key == CALL}
        return next((by_baseline[name] for name in self.baselines if name in by_baseline), None)

    def reasons(self) -> list[str]:
        """Why each row that does not pass does not."""
        return [f"{row.verdict}: {row.title}: {row.reason}" for row in self.rows if row.verdict is not Verdict.PASS]


def story_of(run: Run) -> Story:
    """Read a run.

    Raises:
        InputError: it holds no criteria of voiceperf against a baseline.
    """
    record = run.record
    try:
        pairs = _pairs(run)
        stages_ms = {
            profile: {int(turn): [_stages(one) for one in measured] for turn, measured in by_turn.items()}
            for profile, by_turn in record.get("stages_ms", {}).items()
        }
        times = _Times(record.get("candidate", ""), pairs, stages_ms)
        story = Story(
            run=run,
            candidate=record.get("candidate", "the candidate"),
            rows=tuple(sorted(_rows(record.get("criteria", ()), times), key=_whole_answer_first)),
            pairs=pairs,
            stages_ms=stages_ms,
            examples=_examples(record.get("examples", {})),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{run.source}: damaged ({type(error).__name__}: {error})") from None
    if not story.baselines:
        raise InputError(f"{run.source}: holds no criteria against a baseline; save a whole run with: voiceperf bench")
    return story


def _number(value: Any) -> float:
    """A figure that can be drawn."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no figure")
    return number


def _stages(saved: Mapping[str, Any]) -> dict[str, float]:
    """How long each stage of one turn took, in ms."""
    found = {stage: _number(ms) for stage, ms in saved.items()}
    return {**found, OVERALL: found[OVERALL]}


def _examples(saved: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was heard and said, each with its reference and what came out under each profile."""
    for by_name in saved.values():
        for example in by_name.values():
            texts = [example["reference"], *(one["text"] for one in example["by_profile"].values())]
            if not all(isinstance(text, str) for text in texts):
                raise TypeError("an example without its words")
    return saved


def _whole_answer_first(row: Row) -> bool:
    return row.key != CALL


def _pairs(run: Run) -> dict[tuple[str, str], dict[int, list[tuple[float, float]]]]:
    found: dict[tuple[str, str], dict[int, list[tuple[float, float]]]] = {}
    for extra in (benchmark.extra for benchmark in run.benchmarks):
        if "pairs_wall_ns" in extra and extra.get("partner", CONTROL) != CONTROL:
            times = [(before / 1e6, after / 1e6) for before, after in extra["pairs_wall_ns"]]
            found.setdefault((extra["workload"], extra["profile"]), {})[extra["turn"]] = times
    return found


@dataclass(frozen=True)
class _Times:
    """What a run holds of times, in milliseconds."""

    candidate: str
    pairs: Mapping[tuple[str, str], Pairs]
    stages_ms: Mapping[str, Mapping[int, Sequence[Mapping[str, float]]]]

    def of(self, bar: Bar, baseline: str) -> tuple[float | None, float | None]:
        """Of a ratio the baseline's and the candidate's: each turn's median, and the geometric mean of those."""
        if not bar.is_relative:
            return None, None
        if bar.of:
            before, after = ([*self._stages(name, bar.of)] for name in (baseline, self.candidate))
        else:
            turns = self.pairs.get((bar.workload, baseline), {}).values()
            before, after = ([[pair[side] for pair in turn] for turn in turns] for side in (0, 1))
        return _mean_ms(before), _mean_ms(after)

    def _stages(self, profile: str, stage: str) -> Iterator[list[float]]:
        for turn in self.stages_ms.get(profile, {}).values():
            yield [one[stage] for one in turn if stage in one]


def _mean_ms(turns: Sequence[Sequence[float]]) -> float | None:
    return geometric_mean(map(median, turns)) if turns and all(turns) else None


def _rows(saved: Iterable[Mapping[str, Any]], times: _Times) -> Iterator[Row]:
    """Those that are known; one without a baseline, which older runs have beside each of them, once, the worst."""
    own: dict[str, Row] = {}
    for one in saved:
        bar = bar_of(one["criterion"])
        if bar is None:
            raise ValueError(f"no criterion {one['criterion']!r}")
        row = _row(one, bar, times)
        if bar.is_relative:
            yield row
        elif bar.key not in own or worst_verdict([row.verdict, own[bar.key].verdict]) is not own[bar.key].verdict:
            own[bar.key] = row
    yield from own.values()


def _check(what: Any, value: Any, bar: Any) -> Check:
    return Check(str(what), _number(value), _number(bar))


def _row(row: Mapping[str, Any], bar: Bar, times: _Times) -> Row:
    before_ms, after_ms = times.of(bar, row["baseline"])
    estimate, low, high = row["estimate"], row["low"], row["high"]
    if estimate is None and row.get("speed_checks"):  # a figure without a sampling error of its own
        estimate = low = high = row["speed_checks"][0]["value"]
    if estimate is not None:
        estimate, low, high = map(_number, (estimate, low, high))
    sure = confidence_of_a_look()
    figure = None if estimate is None else Interval(estimate, low, high, row["samples"], confidence=sure)
    return Row(
        asked=bar,
        baseline=row["baseline"] if bar.is_relative else "",
        figure=figure,
        bar=_number(row["bar"]),
        aim=None if row.get("aim") is None else _number(row["aim"]),
        verdict=Verdict(row["verdict"]),
        reason=row["reason"],
        quality="see the rows below" if bar.key == CALL else str(row["quality"]),
        quality_verdict=Verdict(row.get("quality_verdict", row["verdict"])),
        checks=tuple(_check(**check) for check in row.get("checks", [])),
        before_ms=before_ms,
        after_ms=after_ms,
    )

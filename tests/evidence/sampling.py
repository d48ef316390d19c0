"""Greedy replies beside sampled ones: what each is like, judged by the baseline's own weights.

    .venv/bin/python tests/evidence/sampling.py

Every caller turn of the call and of the written conversations is answered by the shipped profile, greedily and with
three seeds. The figures stand in docs/FINDINGS.md.
"""

import math
from collections import defaultdict
from statistics import mean, median

import numpy as np

from voiceperf import call, places, profiles
from voiceperf.engines.base import Passage, Prompt
from voiceperf.judge.statistics import difference_interval
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess
from voiceperf.quality.corpus import read_conversations

SEEDS = (61, 62, 63)
PHRASE = 3  # words


def caller_turns():
    """The messages that lead to each reply, of the call and of all conversations."""
    recorded = call.load(places.fixtures_dir() / "calls" / "call61.toml")
    found = [list(recorded.messages(turn)) for turn in recorded.turns]
    for use in ("evaluation", "calibration"):
        for conversation in read_conversations(places.fixtures_dir() / "text" / "conversations.toml", use):
            messages = [{"role": "system", "content": conversation.system}]
            for asked, answered in conversation.turns:
                found.append([*messages, {"role": "user", "content": asked}])
                messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return found


def as_text(messages):
    said = "".join(f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n" for message in messages)
    return f"{said}<|im_start|>assistant\n"


def log_likelihood(scorer, messages, reply):
    """Of the reply after the messages, in nats, and its tokens."""
    before = len(scorer.once(Passage(as_text(messages)))[1].token_ids)
    scores = scorer.once(Passage(as_text(messages) + reply))[1]
    tokens = scores.token_ids[before:]
    rows = scores.log_probs[before - 1 :]
    return float(sum(rows[place, token] for place, token in enumerate(tokens))), len(tokens)


def repeated(reply):
    """The share of three-word phrases that the reply has said before."""
    words = reply.lower().split()
    phrases = [tuple(words[at : at + PHRASE]) for at in range(len(words) - PHRASE + 1)]
    return 1 - len(set(phrases)) / len(phrases) if phrases else 0.0


def judged(scorer, turns, number, reply):
    """A reply's figures; it suits its question where that makes it likelier than another turn's question does."""
    likelihood, tokens = log_likelihood(scorer, turns[number], reply)
    stranger = turns[(number + len(turns) // 2) % len(turns)][-1]
    elsewhere, _ = log_likelihood(scorer, [*turns[number][:-1], stranger], reply)
    return {"nats": -likelihood, "tokens": tokens, "repeated": repeated(reply), "suits": likelihood - elsewhere}


def main():
    turns = caller_turns()
    settings = {"greedy": {"temperature": 0.0}, **{f"sampled, seed {seed}": {"seed": seed} for seed in SEEDS}}
    found = defaultdict(list)
    with WorkerProcess(of_profile(profiles.load("fair"), "llama", {"n_batch": 1024, "n_ubatch": 1024})) as scorer:
        for name, changes in settings.items():
            with WorkerProcess(of_profile(profiles.load("shipped"), "llama", changes)) as speaker:
                for number, messages in enumerate(turns):
                    reply = speaker.once(Prompt(tuple(messages)))[1].text
                    found[name].append(judged(scorer, turns, number, reply) if reply else None)
    print(f"{len(turns)} caller turns")
    for name, replies in found.items():
        said = [reply for reply in replies if reply and reply["tokens"]]
        print(
            f"{name}: perplexity {math.exp(sum(r['nats'] for r in said) / sum(r['tokens'] for r in said)):.2f},"
            f" tokens {median(r['tokens'] for r in said):.0f}, longest {max(r['tokens'] for r in said)},"
            f" repeated phrases {mean(r['repeated'] for r in said):.1%}, looping"
            f" {sum(r['repeated'] > 0.3 for r in said)}, empty {len(replies) - len(said)},"
            f" likelier by its question {np.mean([r['suits'] > 0 for r in said]):.0%}"
        )
    for name in settings.keys() - {"greedy"}:
        both = [(s, g) for s, g in zip(found[name], found["greedy"], strict=True) if s and g]
        pairs = [(s["repeated"], g["repeated"]) for s, g in both]
        more = difference_interval(pairs, [1] * len(pairs), range(len(pairs)))
        print(f"repeated phrases, greedy less {name}: {more.estimate:+.1%} [{more.low:+.1%}, {more.high:+.1%}]")


if __name__ == "__main__":
    main()

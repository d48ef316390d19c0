"""Roles: what the engines of a voice agent do. Whatever plays a role is asked the same things and answers alike.

A role decides the requests and the outputs, the workloads, the criteria, the measures of quality and the service. An
engine decides its parameters and how it is loaded (`voiceperf.engines`); a profile, which engine plays which role.
"""

from __future__ import annotations

HEARING = "hearing"  # an utterance in, a transcript out; a recital in, how likely each of its words is
THINKING = "thinking"  # a conversation in, a reply out; a passage in, its scores out
SPEAKING = "speaking"  # a line in, speech out

# what an engine may be able to do; a criterion that needs what it cannot do is not applicable
SCORES = "scores"  # tell how likely every next token of a passage, or of what was said, is
SCRIPT = "script"  # say a given text at its own pace
EXACT_TOKENS = "exact token count"  # answer with as many tokens as it is asked to
DETERMINISTIC = "deterministic"  # make the same of the same input every time
LOCAL = "local"  # run in a process of this machine, whose memory and processor time can be seen
ABILITIES = frozenset({SCORES, SCRIPT, EXACT_TOKENS, DETERMINISTIC, LOCAL})

ROLES = (HEARING, THINKING, SPEAKING)
"""In the order in which a turn passes through them."""

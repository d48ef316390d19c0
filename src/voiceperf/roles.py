"""Roles: what the engines of a voice agent do. Whatever plays a role is asked the same things and answers alike.

A role decides the requests and the outputs, the workloads, the criteria, the measures of quality and the service. An
engine decides its parameters and how it is loaded (`voiceperf.engines`); a profile, which engine plays which role.
"""

from __future__ import annotations

HEARING = "hearing"  # an utterance in, a transcript out
THINKING = "thinking"  # a conversation in, a reply out; a passage in, its scores out
SPEAKING = "speaking"  # a line in, speech out
ROLES = (HEARING, THINKING, SPEAKING)
"""In the order in which a turn passes through them."""

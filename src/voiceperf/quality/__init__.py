"""Quality: what an engine makes of a corpus, held against what a baseline makes of it."""

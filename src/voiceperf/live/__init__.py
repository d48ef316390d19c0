"""The live call: the engines as services that speak the Wyoming protocol, and the replay of a call through them."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():  # on Python 3.11 and 3.12 it imports audioop, which says that it will go away
    warnings.simplefilter("ignore", DeprecationWarning)
    import wyoming.audio  # noqa: F401

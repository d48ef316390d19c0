"""Accounts of a process, and what lies between two of them."""

import pickle
from dataclasses import replace

from voiceperf.engines.base import KernelCount
from voiceperf.measure.resources import Resources, Usage, counted, together, usage_between


def account(*kernels):
    return Resources(1, 2, 3.0, 4, kernels=tuple(KernelCount(*one) for one in kernels))


def test_kernels_are_counted_between_two_moments():
    """What was computed before the first is not counted, and what stood still is not named."""
    before = account(("product of q8_0", 10, 1), ("attention", 3, 0))
    after = account(("product of q8_0", 25, 4), ("attention", 3, 0), ("activation", 6, 0))
    assert usage_between(before, after).kernels == (
        KernelCount("product of q8_0", 15, 3),
        KernelCount("activation", 6, 0),
    )


def test_accounts_add_up_by_operation():
    """Of several launches each operation is counted once."""
    first, second = (KernelCount("attention", 1, 2),), (KernelCount("attention", 10, 20), KernelCount("split", 1, 0))
    assert counted([first, second]) == {
        "attention": KernelCount("attention", 11, 22),
        "split": KernelCount("split", 1, 0),
    }


def test_an_older_voiceperfs_account_counts_nothing():
    """A worker of another revision sends its own kind of account, which has no kernels."""
    older = account()
    state = dict(older.__dict__)
    del state["kernels"]
    received = object.__new__(Resources)
    received.__dict__.update(state)
    received = pickle.loads(pickle.dumps(received))
    assert usage_between(received, account(("attention", 1, 0))).kernels == (KernelCount("attention", 1, 0),)


def test_a_saved_run_has_them():
    """Plain values: the operation, ours, the library's."""
    usage = Usage(1.0, 2, 3, None, (KernelCount("attention", 1, 2),))
    assert usage.as_record()["kernels"] == ({"operation": "attention", "ours": 1, "theirs": 2},)


def test_gpus_are_in_a_saved_run_where_there_are_any():
    """Memory as it is after, energy between; an older voiceperf's account, or a machine without, has neither."""
    before, after = Resources(1, 2, 3.0, 4), Resources(1, 2, 3.0, 4, gpu_bytes=7, gpu_energy_j=12.5)
    with_gpu = usage_between(replace(before, gpu_bytes=5, gpu_energy_j=10.0), after).as_record()
    assert (with_gpu["gpu_bytes"], with_gpu["gpu_energy_j"]) == (7, 2.5)
    assert "gpu_energy_j" not in usage_between(before, after).as_record()
    assert together([after, after]).gpu_bytes == 7

"""What make check-crash does to the connector is all that it should be."""

import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))

import faults

NAMED = ("write", "fsync", "fdatasync", "pwrite64", "sendto", "sendmsg", "connect", "close",
         "rename", "unlink")
MANY = 20000  # lives, in which even what is rare is drawn


@pytest.fixture(name="drawn", scope="module")
def fixture_drawn():
    """Every fault of many lives."""
    seed = random.randrange(1 << 31)
    print("seed", seed)
    lives = faults.lives(random.Random(seed))
    return [fault for _ in range(MANY) for fault in next(lives)]


def _swept():
    counts = {call: 3 for call in faults.CALLS}
    sweep, found = faults.Sweep(counts, {}, 0, 1), []
    for some in sweep:
        found += some
        sweep.came(some[0].number <= 3)
    return found


def test_each_call_that_matters_kills_and_fails(drawn):
    for some in (drawn, _swept()):
        assert set(NAMED) <= {fault.call for fault in some if fault.kind == "kill"}
        assert set(NAMED) <= {fault.call for fault in some if fault.kind == "error"}
        assert {"EIO", "ENOSPC", "ENOMEM", "EMFILE", "ECONNRESET"} <= {
            fault.error for fault in some if fault.kind == "error"}
    assert set(faults.KILLS) | set(faults.ERRORS) | set(faults.REPLACING) <= set(faults.CALLS)


def test_the_cloud_is_restarted_with_its_memory_and_without(drawn):
    assert {fault.call for fault in drawn if fault.kind == "cloud"} == set(faults.CLOUD)
    assert {"restarted", "killed"} <= set(faults.CLOUD)


def test_everything_around_it_breaks(drawn):
    assert {fault.kind for fault in drawn} == {"kill", "error", "random", "link", "cut", "printer",
                                               "cups", "cloud", "cancel"}
    assert {fault.call for fault in drawn if fault.kind == "cups"} == {"killed", "restarted"}
    assert {fault.call for fault in drawn if fault.kind == "cancel"} == {"in the cloud", "here"}


def test_a_sweep_cuts_every_answer_of_the_cloud_at_every_place():
    cuts = {(fault.call, fault.error, fault.bytes) for fault in _swept() if fault.kind == "cut"}
    for operation in faults.OPERATIONS:
        places = {(kind, size) for call, kind, size in cuts if call == operation}
        assert {("cut-before", None), ("cut-headers", None), ("cut-ipp", 1), ("cut-ipp", 40),
                ("cut-last-chunk", None), ("cut-after", None)} <= places
        document = {("cut-document", size) for size in (0, 1, 400, -1)}
        assert document <= places if operation == "Fetch-Document" else not document & places


def test_a_sweep_strikes_each_call_until_there_are_no_more():
    struck = [fault for fault in _swept() if (fault.kind, fault.call) == ("kill", "pwrite64")]
    assert [fault.number for fault in struck] == [1, 2, 3, 4, 5, 6]  # three in a row in vain

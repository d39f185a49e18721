"""The judge of make check-crash: what it must not let pass, and what it must."""

import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))

import ledger


def _job(*finals, **known):
    job = ledger.Job("urn:uuid:1", "q", 1, "job 1", acknowledged=True)
    job.finals = [(state, message, 0) for state, message in finals]
    job.state = finals[-1][0] if finals else 6
    for name, value in known.items():
        setattr(job, name, value)
    return job


def _paper(*documents):
    paper = ledger.Paper()
    paper.expect("job 1", b"document one")
    paper.expect("job 2", b"document two")
    for document in documents:
        paper.came(ledger.hashlib.sha256(document).hexdigest(), lambda data=document: data)
    return paper


ONE = b"document one"
UNKNOWN = (8, "unknown whether it printed: it is gone")


@pytest.mark.parametrize("job, documents, options", [
    (_job((9, "printed")), [ONE], {}),
    (_job((9, "printed"), (9, "printed")), [ONE], {}),  # said again after a lost answer
    (_job((8, "refused by the queue")), [], {}),
    (_job(UNKNOWN), [ONE], {}),
    (_job(UNKNOWN), [b"document one"[:10]], {}),
    (_job((7, ""), canceled=True), [ONE], {}),
    (_job((7, ""), resolved=True), [ONE], {}),
    (_job(), [ONE], {"held": True}),
    (_job(acknowledged=False), [], {"served": False}),
    (_job((9, "the print system started it again: paper may have come out twice")), [ONE, ONE],
     {"crashed": True}),
    (_job((9, "printed")), [ONE, ONE], {"crashed": "unseen"}),
    (_job(forgotten=True), [ONE], {}),
])
def test_what_keeps_the_promise_passes(job, documents, options):
    assert not list(ledger.judge(job, _paper(*documents), **options))


@pytest.mark.parametrize("job, documents, options, breach", [
    (_job((9, "printed")), [], {}, "never arrived"),
    (_job((9, "printed")), [ONE[:10]], {}, "never arrived"),
    (_job((9, "printed")), [ONE, ONE], {}, "arrived 2 times"),
    (_job((9, "printed")), [ONE, ONE], {"crashed": True}, "nobody is told"),
    (_job((8, "no")), [ONE, ONE], {"crashed": True}, "nobody is told"),
    (_job(), [ONE, ONE], {"held": True}, "arrived 2 times"),
    (_job((8, "refused by the queue")), [ONE], {}, "without a word of doubt"),
    (_job((7, "")), [], {}, "nobody had asked"),
    (_job((8, "this connector knows nothing of the job; print it again")), [], {}, "nobody knew"),
    (_job(), [], {}, "forgotten"),
    (_job(), [ONE], {}, "forgotten"),
    (_job(acknowledged=False), [], {}, "never taken"),
    (_job((9, "printed"), acknowledged=False), [ONE], {}, "without having been acknowledged"),
    (_job((8, "no"), refused=True), [ONE], {}, "was refused, but arrived"),
    (_job((8, "no"), (9, "printed")), [ONE], {}, "several ways"),
])
def test_what_breaks_the_promise_is_found(job, documents, options, breach):
    assert breach in "\n".join(ledger.judge(job, _paper(*documents), **options))


def test_a_second_copy_by_cups_that_nobody_is_told_of_is_counted():
    assert ledger.is_silent(_job((9, "printed")), _paper(ONE, ONE))
    assert not ledger.is_silent(_job((9, "printed")), _paper(ONE))
    assert not ledger.is_silent(_job((9, "may have come out twice")), _paper(ONE, ONE))
    assert not ledger.is_silent(_job(UNKNOWN), _paper(ONE, ONE))


def test_bytes_that_nobody_sent_are_found():
    assert "that no job has" in _paper(b"%!PS").strange[0]
    assert not _paper(ONE, b"document").strange


def _line(kind, **fields):
    return json.dumps({"time": 1, "kind": kind, **fields}) + "\n"


def _state(state, acknowledged=None, canceled=None):
    return _line("job", what="state", job={
        "uuid": "u", "printer": "q", "id": 1, "name": "job 1", "state": state,
        "times": {"acknowledged": acknowledged, "canceled": canceled}})


def _told(operation, state, message="", side="proxy", fetch_status=-1):
    return _line("told", printer="q", job=1, uuid="u", side=side, operation=operation, status=0,
                 state=state, message=message, fetch_status=fetch_status)


def test_the_record_is_followed_line_by_line(tmp_path):
    path = tmp_path / "record"
    cloud = ledger.Cloud(path)
    assert cloud.read() == []
    with open(path, "w", encoding="utf-8") as record:
        record.write(_state(6) + _told("Acknowledge-Job", -1) + _state(6, 5.0)[:40])
        record.flush()
        assert [job.acknowledged for job in cloud.read()] == [False]
        record.write(_state(6, 5.0)[40:] + _told("Update-Job-Status", 6, "held")
                     + _told("Cancel-Job", 7, side="client"))
        record.flush()
        job = cloud.read()[0]
        assert job.acknowledged and (job.told, job.message, job.finals) == (6, "held", [])
        record.write(_told("Update-Job-Status", 9, "printed") + _state(9, 5.0))
        record.flush()
    assert cloud.read() == [] and job.finals == [(9, "printed", 0)]
    assert cloud.lines == 7


def test_a_cloud_that_forgets_is_owed_nothing_more(tmp_path):
    path = tmp_path / "record"
    path.write_text(_state(6, 5.0) + _line("violation", rule="order", text="wrong", printer="q",
                                           operation="Get-Jobs", job=1))
    cloud = ledger.Cloud(path)
    cloud.forget()
    assert cloud.read() == [] and cloud.jobs["u"].forgotten
    assert "order: wrong" in cloud.breaches[0]


def test_a_refusal_is_known_by_its_status(tmp_path):
    path = tmp_path / "record"
    path.write_text(_state(6) + _told("Acknowledge-Job", -1, fetch_status=0x0509) + _state(8))
    cloud = ledger.Cloud(path)
    cloud.read()
    assert cloud.jobs["u"].refused

"""What the outside world saw, and the promise held against it. Of the daemon's own word only this
goes in: which jobs it holds for an administrator.

Cloud: the emulator's record, followed line by line. Paper: what came out of the printers, by the
SHA-256 of documents that are each unlike all others."""

import dataclasses
import hashlib
import json

FINAL = {7: "canceled", 8: "aborted", 9: "completed"}
FORGOTTEN = "knows nothing of the job"
HELD = 6  # processing-stopped, as the connector tells the cloud of jobs that wait or are held


@dataclasses.dataclass
class Job:
    """One job of the cloud. finals: (state, message, status of the answer) of every final word."""

    uuid: str
    printer: str
    number: int
    name: str
    state: int = 0
    acknowledged: bool = False
    refused: bool = False
    forgotten: bool = False
    canceled: bool = False  # somebody asked
    resolved: bool = False  # by hand, after it was found to be held
    message: str = ""
    told: int = -1  # the last state that the connector told
    finals: list = dataclasses.field(default_factory=list)

    @property
    def is_final(self):
        """The cloud has its end, or knows nothing of it any more."""
        return self.forgotten or self.state in FINAL


class Cloud:
    """Follows the record file."""

    def __init__(self, path):
        self.path = path
        self.jobs = {}
        self.breaches = []
        self.lines = 0
        self._offset = 0

    def read(self):
        """Takes in what is new; the open jobs."""
        if self.path.exists():
            with open(self.path, "rb") as record:
                record.seek(self._offset)
                data = record.read()
            whole = data[:data.rfind(b"\n") + 1]
            self._offset += len(whole)
            for line in whole.splitlines():
                self.lines += 1
                self._take(json.loads(line))
        return [job for job in self.jobs.values() if not job.is_final]

    def forget(self):
        """The cloud has lost all jobs that it had."""
        for job in self.read():
            job.forgotten = True

    def _take(self, entry):
        if entry["kind"] == "job":
            seen = entry["job"]
            job = self.jobs.setdefault(seen["uuid"], Job(seen["uuid"], seen["printer"],
                                                         seen["id"], seen["name"]))
            job.state = seen["state"]
            job.acknowledged |= seen["times"]["acknowledged"] is not None
            job.canceled |= seen["times"]["canceled"] is not None
        elif entry["kind"] == "told":
            job = self.jobs.get(entry["uuid"])
            if job and entry["side"] == "proxy":
                self._told(job, entry)
        elif entry["kind"] == "violation" and not self._crossed(entry):
            self.breaches.append(f"{entry['rule']}: {entry['text']} ({entry['operation']},"
                                 f" {entry['printer']} {entry['job']})")

    def _crossed(self, entry):
        """A word about a document that crossed somebody's cancel, with a crash in between."""
        here = [job for job in self.jobs.values()  # numbers are given out again
                if (job.printer, job.number) == (entry["printer"], entry["job"])]
        return entry["rule"] == "final-document" and bool(here) and here[-1].canceled

    @staticmethod
    def _told(job, entry):
        if entry["operation"] == "Acknowledge-Job" and entry["fetch_status"] > 0:
            job.refused = True
        if entry["operation"] != "Update-Job-Status" or entry["state"] < 0:
            return
        job.told = entry["state"]
        if entry["message"]:
            job.message = entry["message"]
        if entry["state"] in FINAL:
            job.finals.append((entry["state"], entry["message"] or "", entry["status"]))


class Paper:
    """What came out, by the name of the job whose document it is."""

    def __init__(self):
        self.documents = {}  # sha256: name
        self._bytes = {}     # name: document
        self.whole = {}      # name: how often
        self.parts = {}      # name: how often a piece of it
        self.strange = []    # what nobody had sent

    def expect(self, name, document):
        """This is the document of that job."""
        self.documents[hashlib.sha256(document).hexdigest()] = name
        self._bytes[name] = document

    def came(self, sha256, read):
        """One document at a printer; read() gives its bytes."""
        name = self.documents.get(sha256)
        if name:
            self.whole[name] = self.whole.get(name, 0) + 1
            return
        data = read()
        names = [name for name, document in self._bytes.items() if document.startswith(data)]
        if not names:
            self.strange.append(f"{len(data)} bytes that no job has: {data[:80]!r}")
        elif len(names) == 1:
            self.parts[names[0]] = self.parts.get(names[0], 0) + 1


def says_unknown(message):
    """A final word that leaves open whether paper came out."""
    return "unknown whether" in message


def says_twice(message):
    """A final word that admits a second copy."""
    return "twice" in message


def _true_words(job, whole, parts):
    """Final words that are not so."""
    for state, message, _ in job.finals:
        if state == 9 and not whole:
            yield f"told completed, but it never arrived ({message})"
        doubt = says_unknown(message) or says_twice(message)
        if state == 8 and (whole or parts) and not doubt:
            yield f"told aborted without a word of doubt, but it arrived ({message})"
        if FORGOTTEN in message and job.acknowledged:
            yield f"was acknowledged, and then nobody knew it ({message})"
        if state == 7 and not job.canceled and not job.resolved:
            yield f"told canceled, and nobody had asked ({message})"
    said = {state for state, _, status in job.finals if status < 0x100}
    if len(said) > 1:
        yield f"ended in several ways: {sorted(FINAL[state] for state in said)}"


def is_silent(job, paper):
    """It came twice because cupsd died, and no final word says so."""
    return paper.whole.get(job.name, 0) > 1 and bool(job.finals) and not job.resolved and not any(
        says_twice(m) or says_unknown(m) for _, m, _ in job.finals)


def judge(job, paper, held=False, crashed=False, served=True):
    """Every breach of the promise for one job when all is at rest. held: an administrator must
    decide; crashed: cupsd died while the job was open, "unseen": with its end in hand here; served:
    a connector was there for it."""
    whole, parts = paper.whole.get(job.name, 0), paper.parts.get(job.name, 0)
    yield from _true_words(job, whole, parts)
    if whole > 1 and not crashed:
        yield f"arrived {whole} times"
    if crashed is True and is_silent(job, paper):
        yield f"arrived {whole} times, and nobody is told ({job.message})"
    if job.refused and whole:
        yield "was refused, but arrived"
    if not job.acknowledged and whole and not job.forgotten:
        yield "arrived without having been acknowledged"
    if not job.is_final and not held:
        if job.acknowledged:
            yield f"is forgotten: neither final nor held (state {job.state}, {job.message})"
        elif served:
            yield "was never taken"

"""What --json prints is what print-connector(1) says, field by field and in both directions; each
verb is run on a bed."""

import json
import pathlib
import re
import subprocess

import pytest

from bed import BUILD, PDF
from bed.daemon import reachable
from bed.process import run
from bed.route import connect
from manual import Page

REST = "..."  # any more fields
TOKEN = re.compile(r'"(?P<name>\w+)"|(?P<sign>[{}\[\]:,])|(?P<rest>\.\.\.)|(?P<number>N)')


def _parse(tokens):
    """A shape: dict of fields, list of what its items are (empty: texts), or None for a value."""
    kind, text = tokens.pop(0)
    if kind == "number":
        return int
    if text == "[":
        items = [] if tokens[0][1] == "]" else [_parse(tokens)]
        assert tokens.pop(0)[1] == "]"
        return items
    assert text == "{", text
    fields = {}
    while tokens[0][1] != "}":
        kind, name = tokens.pop(0)
        if kind == "rest":
            fields[REST] = None
        elif kind == "name":
            fields[name] = None
            if tokens[0][1] == ":":
                tokens.pop(0)
                fields[name] = _parse(tokens)
        else:
            assert name == ","
    tokens.pop(0)
    return fields


def _shapes():
    """{what it is of: its shape} in the order of the manual."""
    text = "\n".join(Page("print-connector.1").blocks("JSON OUTPUT"))
    tokens = [(m.lastgroup, m[m.lastgroup]) for m in TOKEN.finditer(text)]
    shapes = []
    while tokens:
        shapes.append(_parse(tokens))
    names = ["status", "printers", "available", "register", "registered", "jobs", "job",
             "explain", "doctor", "diagnosed", "unregister", "pause", "rebind", "reset", "drain",
             "cancel", "metrics", "backup", "restore", "failure"]
    assert len(shapes) == len(names)
    shapes = dict(zip(names, shapes))
    job = shapes["jobs"]["jobs"][0]
    del shapes["job"][REST]
    shapes["job"] = {**job, **shapes["job"]}
    shapes["watch"] = {**shapes["status"], "open": [job]}
    return shapes


SHAPES = _shapes()


def check(value, shape, place):
    """Fails where they differ. A value that is not known is null, whatever it would be."""
    if value is None or shape is int:
        assert shape is not int or isinstance(value, int), place
    elif isinstance(shape, dict):
        assert isinstance(value, dict), place
        fields = {name for name in shape if name != REST}
        assert fields <= set(value), f"{place} lacks {fields - set(value)}"
        assert REST in shape or set(value) <= fields, f"{place} has {set(value) - fields} too"
        for name in value:
            check(value[name], shape.get(name, int), f"{place}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), place
        for item in value:
            check(item, shape[0] if shape else None, f"{place}[]")
    else:
        assert isinstance(value, (str, int, float, bool)), f"{place}: {value}"


class Verbs:
    """Runs verbs, and checks each line that they print."""

    def __init__(self, daemon):
        self.daemon = daemon

    def __call__(self, *words, last=None, of=None, codes=(0,)):
        result = self.daemon.cli("--config", str(self.daemon.config), *words)
        assert result.code in codes, result
        assert result.lines and result.stderr == "", result
        for line in result.lines:
            assert list(line)[0] == "schema" and line.pop("schema") == 1
            name = last if last and line is result.lines[-1] else of or words[0]
            error = line.pop("error", None) if name not in ("job", "failure") else None
            if error:
                check({"error": error}, SHAPES["failure"], f"{name} error")
            check(line, SHAPES[name], name)
        return result.lines[-1]


@pytest.fixture(name="verbs")
def fixture_verbs(bed):
    """A daemon with a printer that has printed."""
    bed.start_cloud("q", "r")
    bed.cups.add_raw("raw", bed.socket_printer().uri)
    daemon = bed.daemon(settings={"queue raw": {"allow-formats": "application/pdf"}})
    route = connect(bed, daemon, "raw")
    route.ended(route.submit(PDF))
    verbs = Verbs(daemon)
    verbs.bed = bed
    return verbs


def test_what_is_looked_at_has_the_fields_of_the_manual(verbs):
    assert verbs("jobs", "--all")["jobs"]
    assert verbs("job", "1")["events"]
    assert verbs("status")["clouds"]
    assert verbs("printers")["printers"]
    assert verbs("printers", "--available", of="available")["queues"]
    assert verbs("explain", "raw", codes=(0, 4))["choices"]
    assert verbs("metrics")["text"]
    verbs("doctor", last="diagnosed", codes=(0, 4))
    verbs("jobs", "--printer", "nobody", of="failure", codes=(1,))


def test_what_is_changed_has_the_fields_of_the_manual(verbs):
    bed, eve = verbs.bed, verbs.bed.ipp_printer(tls=True)
    verbs("register", eve.uri, "--cloud-uri", bed.cloud.uri("r"), last="registered")
    verbs.daemon.wait_printer(eve.uri)
    verbs("register", "nothing", "--cloud-uri", bed.cloud.uri("q"), last="registered", codes=(1,))
    verbs("reset", eve.uri)
    assert verbs("reset", eve.uri, "--trust-new-key")["key"]
    verbs("pause", "raw", "nobody", codes=(1,))
    verbs("resume", "raw", of="pause")
    verbs("drain")
    assert verbs.daemon.cli("resume").data == {"schema": 1}
    eve.mode = "hold"
    with eve.gate():
        bed.cloud.submit(PDF, "r")
        job = verbs.daemon.wait_jobs(1, state="printing")[-1]
        check(job, SHAPES["jobs"]["jobs"][0], "job")
        verbs("cancel", str(job["id"]))
        eve.process.wait_for_line("Cancel-Job successful-ok")  # else it prints, once it may
    verbs.daemon.wait_jobs(1, outcome="canceled")
    verbs("job", str(job["id"]))
    for words in (["cancel"], ["retry"], ["resolve", "--abort"]):  # it has ended
        verbs(*words, str(job["id"]), of="failure", codes=(1,))
    verbs("rebind", eve.uri, bed.ipp_printer("new").uri)
    verbs("unregister", "raw", "nobody", "--yes", codes=(1,))


def test_what_is_decided_of_a_held_job_has_the_fields_of_the_manual(bed):
    bed.start_cups(options={"DirtyCleanInterval": "600"})
    bed.cups.add_fault("q", "wait=60")
    bed.cups.restart()
    route = connect(bed, bed.daemon(), "q")
    for words in (["resolve", "--printed"], ["retry"]):
        route.wait_online()
        with bed.cups.fault_gate():
            number, _ = route.submit_to_cups(PDF)
            bed.cups.kill()  # it forgets the job
            bed.cups.start()
            job = route.wait_record(number, "held", timeout=60)
        route.wait_online()
        Verbs(route.daemon)(*words, str(job["id"]), of="cancel")
        route.ended(number, timeout=60)


def test_every_verb_is_among_them():
    text = pathlib.Path(__file__).read_text(encoding="utf-8")
    ran = set(re.findall(r'verbs\("([a-z]+)"', text)) | {"retry", "resolve", "watch"}
    listed = re.findall(r"^  ([a-z]+) ", run([BUILD / "print-connector", "--help"]).stdout,
                        re.MULTILINE)
    assert set(listed) == ran


def test_a_backup_and_what_it_gives_back_have_the_fields_of_the_manual(verbs, bed):
    secret = bed.dir / "passphrase"
    secret.write_text("correct horse battery\n")
    secret.chmod(0o600)
    saved = str(bed.dir / "saved")
    verbs("backup", saved, "--passphrase-file", str(secret))
    verbs.daemon.stop()
    for path in verbs.daemon.state.glob("state.db*"):
        path.unlink()
    for name in ("keys", "certificates", "printers"):
        for path in (verbs.daemon.state / name).glob("*"):
            path.unlink()
    verbs("restore", saved, "--passphrase-file", str(secret), codes=(0, 4))


def test_watch_has_the_fields_of_the_manual(verbs):
    with subprocess.Popen([reachable(BUILD / "print-connector", verbs.daemon.dir), "--json",
                           "--socket", verbs.daemon.socket, "watch"], stdout=subprocess.PIPE,
                          text=True) as watch:
        first = json.loads(watch.stdout.readline())  # told at once
        watch.terminate()
    assert first.pop("schema") == 1
    check(first, SHAPES["watch"], "watch")

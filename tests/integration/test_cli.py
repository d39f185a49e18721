"""The print-connector command against a stand-in of the daemon: exit codes, JSON, its looks."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unicodedata

import pytest

from bed import BUILD
from fake_control import Error, FakeControl

CLI = BUILD / "print-connector"
ID = "5d9a1f6e-0000-4000-8000-00000000000%d"


def job(number, **more):
    """As the interface describes it."""
    return {"id": number, "uuid": "u", "queue": "laser-on-the-second-floor", "cloud": "office",
            "cloud_job": 7, "name": None, "user": None, "state": "printing", "outcome": None,
            "local_job": 34, "bytes": 1234567, "impressions": None, "attempts": 1, "error": None,
            "dropped": [], "times": {"received": "2024-02-03T17:02:03.123Z", "acknowledged": None,
                                     "handed": None, "finished": None, "reported": None}, **more}


def printer(number, **more):
    """Likewise."""
    return {"id": ID % number, "queue": "laser", "cloud": "office", "cloud_printer": "ipps://c/1",
            "state": "online", "reasons": [], "since": "2024-02-03T17:02:03.123Z", "jobs": 0,
            "certificate": None, **more}


def status(**more):
    """Likewise."""
    return {"version": "9.9", "since": "2024-02-03T17:02:03.123Z",
            "clouds": [{"name": "office", "type": "ipp-infra", "reachable": True,
                        "since": "2024-02-03T17:02:03.123Z", "error": None},
                       {"name": "branch", "type": "ipp-infra", "reachable": None, "since": None,
                        "error": None}],
            "printers": {"online": 3, "offline": 1}, "jobs": {"printing": 2, "held": 0},
            "health": [], **more}


def health(severity):
    """Likewise."""
    return {"code": "queue-missing", "severity": severity, "subject": "laser",
            "text": "queue laser does not exist any more, " + 20 * "which is a pity, ",
            "remedy": "make it again"}


def event(name, queue=None, **more):
    """Likewise."""
    return {"event": name, "queue": queue, "printer": None, "text": None, "remedy": None,
            "user_code": None, "verification_uri": None, "expires_at": None, "registered": None,
            "failed": None, "key": None, **more}


def register(parameters):
    """Some queues work, one has a warning, the others do not exist."""
    events = []
    for queue in parameters.get("queues", ["laser"]):
        events += [event("waiting", queue, text="asking the cloud")]
        if queue in ("laser", "stopped"):
            text = f"queue {queue} is stopped; cupsenable {queue}" if queue == "stopped" else None
            events += [event("registered", queue, printer=ID % 1, text=text)]
        else:
            events += [event("failed", queue, text=f"CUPS has no queue {queue}",
                             remedy="make one")]
    good = sum(e["event"] == "registered" for e in events)
    bad = sum(e["event"] == "failed" for e in events)
    return events + [event("done", registered=good, failed=bad)]


ANSWERS = {
    "GetStatus": status(),
    "ListPrinters": {"printers": [printer(1)]},
    "ListQueues": {"queues": [{"name": "laser", "info": 9 * "Second floor ",
                               "make_and_model": 9 * "ACME 3000 ", "kind": "cups",
                               "registered": True}]},
    "ListJobs": {"jobs": [job(12), job(11, state="done", outcome="completed", impressions=3)],
                 "next": None, "left": 0},
    "GetJob": {"job": job(12), "events": [{"time": "2024-02-03T17:02:03.123Z", "source": "cloud",
                                           "text": 20 * "received "}]},
    "Explain": {"queue": "laser", "registered": False, "make_and_model": 9 * "ACME 3000 ",
                "options": [{"name": "sides", "asked": "two-sided-long-edge", "sent": None,
                             "fate": "dropped", "why": 9 * "the queue does not have it ",
                             "site": False}],
                "choices": [{"name": "presentation-direction-number-up",
                             "values": ", ".join(9 * ["toright-tobottom"]), "usual": None},
                            {"name": "sides", "values": None, "usual": None}],
                "attributes": ["media-col={" + 9 * "media-source=tray-1 " + "}"],
                "refused": None},
    "Register": register,
    "Unregister": {"text": "printer Laser is still known to the cloud"},
    "Cancel": {},
    "Rebind": {"text": None},
    "Reset": {},
    "Resolve": {},
    "Retry": {},
    "Pause": {},
    "Resume": {},
    "Drain": [{"handing": 2, "printing": 1}, {"handing": 1, "printing": 2},
              {"handing": 0, "printing": 3}],
    "GetMetrics": {"text": "a 1\n# EOF\n"},
    "Watch": status(open=[job(12)]),
}


class Setup:
    """The command and its counterpart."""

    def __init__(self, folder):
        self.path = folder / "control"
        self.folder = folder
        self.control = FakeControl(self.path, dict(ANSWERS))

    def run(self, *arguments, **options):
        """Its (exit code, stdout, stderr)."""
        environment = {"PATH": os.environ["PATH"], "TZ": "UTC", **options.pop("env", {})}
        done = subprocess.run([CLI, "--socket", self.path, *arguments], capture_output=True,
                              text=True, timeout=30, check=False, cwd=self.folder,
                              env=environment, stdin=subprocess.DEVNULL, **options)
        assert "ERROR: AddressSanitizer" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    def json(self, *arguments):
        """Its exit code and its object."""
        code, out, err = self.run("--json", *arguments)
        assert err == ""
        assert out.startswith('{"schema":1,')
        return code, json.loads(out)


@pytest.fixture(name="cli")
def fixture_cli():
    """The command with all answers as they should be."""
    with tempfile.TemporaryDirectory(prefix="pc-", dir="/tmp") as folder:
        setup = Setup(pathlib.Path(folder))
        yield setup
        if setup.path.exists():
            setup.control.close()


def width(line):
    """Columns on a terminal."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


# ---- wrong usage ------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, words", [
    ([], "say what to do"),
    (["statsu"], "did you mean status?"),
    (["pritners"], "did you mean printers?"),
    (["resolve", "12"], "say --printed, --print-again or --abort"),
    (["resolve", "12", "--printed", "--abort"], "resolve needs one verdict"),
    (["resolve", "x", "--abort"], "x is not the number of a job"),
    (["pause"], "usage: print-connector pause QUEUE"),
    (["drain", "laser"], "too many arguments"),
    (["zzz"], "--help lists all"),
    (["status", "--colour"], "unknown option --colour of status"),
    (["jobs", "--pritner", "x"], "did you mean --printer?"),
    (["jobs", "--pritner=x"], "did you mean --printer?"),
    (["status", "--all"], "unknown option --all of status"),
    (["-x", "status"], "unknown option -x"),
    (["status", "-q"], "unknown option -q"),
    (["jobs", "--printer"], "--printer needs a value"),
    (["job"], "too few arguments"),
    (["job", "1", "2"], "too many arguments"),
    (["job", "x"], "x is not the number of a job"),
    (["cancel", "0"], "0 is not the number of a job"),
    (["cancel", "99999999999999999999"], "is not the number of a job"),
    (["register"], "usage: print-connector register QUEUE"),
    (["register", "a", "b", "--cloud-uri", "ipps://x/1"], "one by one"),
    (["register", "a", "b", "--name", "x"], "one by one"),
    (["register", "a", "--key", "x"], "--certificate and --key go together"),
    (["register", "a", "--username", "x"], "--username needs --password-file"),
    (["unregister", "laser"], "say --yes"),
    (["\x1b[2J"], "unknown verb ?[2J"),
    (["register", "b\udcc3"], "is not UTF-8"),
])
def test_wrong_usage_is_exit_2_and_says_what_is_right(cli, arguments, words):
    """Nothing reaches the daemon."""
    code, out, err = cli.run(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("print-connector: ")
    assert not cli.control.calls


def test_wrong_usage_is_json_when_asked(cli):
    """The same shape as every failure."""
    code, data = cli.json("statsu")
    assert code == 2
    assert data["error"] == {"kind": "rejected", "code": 0, "text": "unknown verb statsu",
                             "remedy": "did you mean status?"}


VERBS = ["status", "watch", "doctor", "metrics", "printers", "explain",
         "register", "unregister", "rebind", "reset", "pause", "resume", "drain", "backup",
         "restore", "jobs", "job", "cancel", "retry", "resolve"]


def test_help_names_each_verb_and_option(cli):
    """And fits the terminal."""
    code, out, err = cli.run("--help")
    assert (code, err) == (0, "")
    for verb in VERBS:
        assert re.search(rf"^  {verb} ", out, re.M)
        code, text, err = cli.run(verb, "--help")
        assert (code, err) == (0, "")
        assert text.startswith(f"Usage: print-connector {verb}")
        assert "--json" in text
        assert max(map(width, text.splitlines())) <= 80
    assert max(map(width, out.splitlines())) <= 80
    assert "--cloud-uri URI" in cli.run("register", "-h")[1]
    assert not cli.control.calls


def test_the_version_is_told_without_a_daemon(cli):
    """As one line."""
    cli.control.close()
    code, out, _ = cli.run("--version")
    assert code == 0
    assert re.fullmatch(r"print-connector \d+\.\d+\.\d+\n", out)


# ---- the way to the daemon --------------------------------------------------------------------

def test_no_daemon_is_exit_3(cli):
    """Neither without a socket nor with one that nobody listens at."""
    cli.control.close()
    code, _, err = cli.run("status")
    assert code == 3
    assert "does not run" in err and "systemctl start print-connector" in err
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(cli.path))
    code, data = cli.json("status")
    assert code == 3
    assert data["error"]["kind"] == "temporary"
    os.unlink(cli.path)


def test_who_calls_in_a_crowd_waits_for_its_turn(cli):
    """The kernel keeps no more calls for the daemon than it asked for; the next one waits."""
    cli.control.close()
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket(socket.AF_UNIX))
        full.bind(str(cli.path))
        full.listen(0)
        stack.enter_context(socket.socket(socket.AF_UNIX)).connect(str(cli.path))
        begin = time.monotonic()
        code, _, err = cli.run("status")
        assert code == 3
        assert "did not take the call" in err and "try again" in err
        assert 9 < time.monotonic() - begin < 30
    os.unlink(cli.path)


def test_not_permitted_is_exit_3(cli):
    """With what helps."""
    cli.control.answers["Cancel"] = Error("NotPermitted", text="you may not change anything",
                                          remedy="join group print-connector, or ask root")
    code, _, err = cli.run("cancel", "12")
    assert code == 3
    assert err == ("print-connector: you may not change anything\n"
                   "  join group print-connector, or ask root\n")


def test_a_daemon_that_hangs_up_is_exit_3(cli):
    """In the middle of a call."""
    cli.control.answers["GetStatus"] = lambda parameters: None
    code, _, err = cli.run("status")
    assert code == 3
    assert "hung up" in err


@pytest.mark.parametrize("nonsense", [b"HTTP/1.1 400 no\0", b"[]\0", b'{"error":7}\0',
                                      b'{"parameters":[]}\0', b"\xff\xfe\0", b"\0"])
def test_nonsense_is_told_as_such(cli, nonsense):
    """And nothing breaks."""
    cli.control.answers["GetStatus"] = nonsense
    code, _, err = cli.run("status")
    assert code == 1
    assert "nonsense" in err


@pytest.mark.parametrize("method, verb", [
    ("GetStatus", ["status"]), ("ListPrinters", ["printers"]), ("ListJobs", ["jobs"]),
    ("ListQueues", ["printers", "--available"]), ("GetJob", ["job", "1"]),
    ("GetMetrics", ["metrics"]), ("Watch", ["watch"]), ("Explain", ["explain", "x"]),
    ("Register", ["register", "laser"]),
    ("Unregister", ["unregister", "laser", "--yes"])])
@pytest.mark.parametrize("answer", [
    {}, {"job": 7, "events": 7, "printers": 7, "jobs": 7, "queues": 7, "clouds": 7, "health": 7},
    {"printers": [7, None], "jobs": [[]], "queues": ["x"], "clouds": [None], "health": [7],
     "events": [None], "job": [], "event": 7, "text": []}])
def test_answers_of_the_wrong_shape_break_nothing(cli, method, verb, answer):
    """The daemon may be of another version."""
    cli.control.answers[method] = answer
    for arguments in (verb, ["--json", *verb]):
        assert cli.run(*arguments)[0] in (0, 1)


def test_the_settings_say_where_the_daemon_listens(cli):
    """By runtime-directory; --socket is stronger; wrong settings say so."""
    conf = cli.folder / "x.conf"
    conf.write_text(f"[connector]\nruntime-directory = {cli.folder}\n")

    def run(*arguments):
        return subprocess.run([CLI, *arguments, "metrics"], capture_output=True, text=True,
                              timeout=30, check=False)

    assert run("--config", conf).stdout == "a 1\n# EOF\n"
    conf.write_text("[connectro]\n")
    done = run("--config", conf)
    assert done.returncode == 1
    assert "did you mean [connector]?" in done.stderr and "--socket" in done.stderr
    assert run("--config", conf, "--socket", cli.path).returncode == 0


@pytest.mark.parametrize("error, code, kind", [
    (Error("NotFound", subject="x", text="no job 12", remedy="look"), 1, "gone"),
    (Error("Conflict", text="it has ended", remedy=""), 1, "rejected"),
    (Error("InvalidArgument", field="id", text="no", remedy=""), 2, "rejected"),
    (Error("Failed", kind="temporary", code=5, text="disk full", remedy="make room"), 1,
     "temporary"),
    (Error("org.varlink.service.MethodNotFound", method="Cancel"), 1, "rejected"),
])
def test_errors_have_one_shape(cli, error, code, kind):
    """{"kind", "code", "text", "remedy"}"""
    cli.control.answers["Cancel"] = error
    got, data = cli.json("cancel", "12")
    assert got == code
    assert list(data) == ["schema", "error"]
    assert list(data["error"]) == ["kind", "code", "text", "remedy"]
    assert data["error"]["kind"] == kind
    assert data["error"]["remedy"] != ""


# ---- JSON -------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, method", [
    (["status"], "GetStatus"), (["printers"], "ListPrinters"),
    (["printers", "--available"], "ListQueues"),
    (["metrics"], "GetMetrics"), (["watch"], "Watch")])
def test_json_is_what_the_daemon_said_with_a_schema(cli, arguments, method):
    """--json before the verb or behind it."""
    assert cli.json(*arguments) == (0, {"schema": 1, **ANSWERS[method]})
    assert json.loads(cli.run(*arguments, "--json")[1])["schema"] == 1


def test_json_of_a_job_is_the_job_with_its_events(cli):
    """As in the list."""
    code, data = cli.json("job", "12")
    assert code == 0
    assert data == {"schema": 1, **job(12), "events": ANSWERS["GetJob"]["events"]}
    assert cli.control.calls == [("GetJob", {"id": 12}, False)]


def test_json_of_a_registration_is_one_line_for_each_event(cli):
    """With one done at the end."""
    code, out, err = cli.run("--json", "register", "laser", "bad")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (1, "")
    assert [line["event"] for line in lines] == ["waiting", "registered", "waiting", "failed",
                                                 "done"]
    assert all(list(line)[:2] == ["schema", "event"] for line in lines)
    assert lines[-1] == {"schema": 1, "event": "done", "registered": 1, "failed": 1}


# ---- verbs ------------------------------------------------------------------------------------

def test_status_is_exit_4_when_something_needs_attention(cli):
    """An error does, a warning does not."""
    assert cli.run("status")[0] == 0
    cli.control.answers["GetStatus"] = status(health=[health("warning")])
    assert cli.run("status")[0] == 0
    cli.control.answers["GetStatus"] = status(health=[health("warning"), health("error")])
    assert cli.run("status")[0] == 4
    assert cli.json("status")[0] == 4
    assert "> make it again" in cli.run("status")[1]


def test_register_passes_on_what_was_given(cli):
    """Files as absolute paths: the daemon runs elsewhere."""
    code, out, _ = cli.run("register", "laser", "--cloud", "office", "--cloud-uri", "ipps://x/1",
                           "--name", "Laser", "--certificate", "c.pem", "--key", "/k.pem",
                           "--username", "u", "--password-file", "p")
    assert code == 0
    assert f"laser: registered as printer {ID % 1}" in out
    assert cli.control.calls == [("Register", {
        "queues": ["laser"], "cloud": "office", "name": "Laser", "cloud_uri": "ipps://x/1",
        "certificate_file": f"{cli.folder}/c.pem", "key_file": "/k.pem", "username": "u",
        "password_file": f"{cli.folder}/p"}, True)]


def test_what_succeeded_stays_when_another_queue_fails(cli):
    """Each is tried; one failure is exit 1, a warning exit 4."""
    code, out, err = cli.run("register", "bad", "laser")
    assert code == 1
    assert "laser: registered" in out
    assert "bad: CUPS has no queue bad" in err
    code, out, _ = cli.run("register", "stopped")
    assert code == 4
    assert "cupsenable stopped" in out
    code, out, _ = cli.run("register", "laser", "--dry-run")
    assert code == 0
    assert "nothing was changed" in out
    assert cli.control.calls[-1][1]["dry_run"] is True


def test_register_of_a_stranger_ends_at_once(cli):
    """It would be the same for every queue."""
    cli.control.answers["Register"] = Error("NotPermitted", text="no", remedy="ask root")
    assert cli.run("register", "a", "b", "c")[0] == 3
    assert len(cli.control.calls) == 1


def test_register_in_one_of_several_clouds_asks_which(cli):
    """With their names."""
    cli.control.answers["Register"] = Error("Ambiguous", text="there are several clouds",
                                            remedy="name one with --cloud",
                                            candidates=["one", "two"])
    code, _, err = cli.run("register", "laser")
    assert code == 1
    assert "several clouds (one, two)" in err


def test_unregister_goes_on_after_a_failure(cli):
    """And says what is left to do."""
    def answer(parameters):
        if parameters["queue"] == "bad":
            return Error("NotFound", subject="bad", text="bad is not registered", remedy="")
        return ANSWERS["Unregister"]

    cli.control.answers["Unregister"] = answer
    code, out, err = cli.run("unregister", "bad", "laser", "--yes", "--cloud", "office")
    assert code == 1
    assert "laser: unregistered" in out and "still known to the cloud" in out
    assert "bad is not registered" in err
    code, data = cli.json("unregister", "bad", "laser", "--yes")
    assert code == 1
    assert data["error"]["kind"] == "gone"
    assert [q["unregistered"] for q in data["queues"]] == [False, True]


def test_cancel_and_metrics(cli):
    """Short as they are."""
    assert cli.run("cancel", "12")[:2] == (
        0, "job 12 is being canceled; print-connector job 12 tells when it has ended\n")
    assert cli.json("cancel", "12") == (0, {"schema": 1, "id": 12})
    assert cli.run("metrics")[:2] == (0, "a 1\n# EOF\n")


def test_metrics_go_into_a_file_that_is_never_half(cli):
    """For a collector that runs as somebody else."""
    path = cli.folder / "print-connector.prom"
    path.write_text("old")
    assert cli.run("metrics", "--write", path) == (0, "", "")
    assert path.read_text() == "a 1\n# EOF\n"
    assert path.stat().st_mode & 0o777 == 0o644
    code, _, err = cli.run("metrics", "--write", cli.folder / "none" / "x.prom")
    assert code == 1
    assert "x.prom" in err and "No such file" in err


@pytest.mark.parametrize("flag, verdict, words", [
    ("--printed", "printed", "job 12 counts as printed"),
    ("--print-again", "print-again", "job 12 is printed again"),
    ("--abort", "abort", "job 12 is aborted")])
def test_a_held_job_is_resolved(cli, flag, verdict, words):
    """By the administrator's word."""
    code, out, err = cli.run("resolve", "12", flag)
    assert (code, err) == (0, "")
    assert out == f"{words}; print-connector job 12 shows it\n"
    assert cli.control.calls == [("Resolve", {"id": 12, "verdict": verdict}, False)]
    assert cli.json("resolve", flag, "12") == (0, {"schema": 1, "id": 12})


def test_a_job_is_tried_again_or_it_is_said_why_not(cli):
    """With what helps."""
    assert cli.run("retry", "12")[:2] == (
        0, "job 12 is tried again; print-connector job 12 shows it\n")
    cli.control.answers["Retry"] = Error("Conflict", text="job 12 has ended: completed",
                                         remedy="what is final in the cloud stays so")
    code, out, err = cli.run("retry", "12")
    assert (code, out) == (1, "") and "has ended" in err and "final in the cloud" in err


def test_printers_are_paused_one_after_the_other(cli):
    """What succeeded stays when another one fails."""
    def answer(parameters):
        if parameters["queue"] == "bad":
            return Error("NotFound", subject="bad", text="bad is not registered", remedy="")
        return {}

    cli.control.answers["Pause"] = answer
    code, out, err = cli.run("pause", "laser", "bad", "--cloud", "office")
    assert code == 1
    assert out == "laser: paused; its jobs wait in the cloud\n" and "not registered" in err
    assert cli.control.calls[0] == ("Pause", {"queue": "laser", "cloud": "office"}, False)
    code, data = cli.json("pause", "bad", "laser")
    assert code == 1 and data["error"]["kind"] == "gone"
    assert [q["error"] is None for q in data["queues"]] == [False, True]
    assert cli.run("resume", "laser")[:2] == (0, "laser: resumed\n")


def test_a_drain_says_how_far_it_is_and_what_ends_it(cli):
    """And resume without a queue ends it."""
    code, out, err = cli.run("drain")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "2 jobs are on the way to their queue",
        "1 job is on the way to its queue",
        "drained; 3 jobs that print are left to their queues",
        "print-connector resume takes jobs from the clouds again"]
    assert cli.control.calls == [("Drain", {}, True)]
    assert cli.json("drain") == (0, {"schema": 1, "handing": 0, "printing": 3})
    cli.control.answers["Drain"] = {"handing": 0, "printing": 0}
    assert cli.run("drain")[1].startswith("drained; nothing is on its way and nothing prints\n")
    assert cli.run("resume")[:2] == (0, "jobs are taken from the clouds again\n")
    assert cli.control.calls[-1] == ("Resume", {}, False)


def test_jobs_can_be_narrowed(cli):
    """To one queue, and to finished ones too; how many is up to the caller."""
    assert cli.run("jobs")[0] == 0
    assert cli.run("jobs", "--printer", "laser", "--all", "--limit", "7")[0] == 0
    assert cli.control.calls == [
        ("ListJobs", {"limit": 50}, False),
        ("ListJobs", {"printer": "laser", "all": True, "limit": 7}, False)]
    for wrong in ("-1", "x", "", "1.5", "99999999999"):
        assert cli.run("jobs", "--limit", wrong)[0] == 2


class Pages:
    """ListJobs of a daemon that has many."""

    def __init__(self, count, most=1000):
        self.count, self.most, self.fails_before = count, most, 0

    def __call__(self, parameters):
        end = parameters.get("before", self.count + 1)
        if end == self.fails_before:
            return Error("Failed", kind="temporary", code=5, text="no more", remedy="wait")
        ids = list(range(end - 1, max(0, end - 1 - min(parameters["limit"], self.most)), -1))
        older = ids[-1] - 1 if ids else 0
        return {"jobs": [job(n) for n in ids], "next": ids[-1] if older else None,
                "left": None if "before" in parameters else older}


def test_many_jobs_are_shown_in_part_and_it_is_said(cli):
    """The newest; all of them for whoever wants them, in pages."""
    cli.control.answers["ListJobs"] = Pages(1234)
    out = cli.run("jobs", "--all")[1].splitlines()
    assert len(out) == 1 + 50 + 2 and out[1].split()[0] == "1234"
    assert out[-1] == "1184 more; --limit 0 shows all"
    out = cli.run("jobs", "--all", "--limit", "1100")[1].splitlines()
    assert len(out) == 1 + 1100 + 2 and out[-1].startswith("134 more")
    out = cli.run("jobs", "--all", "--limit", "0")[1].splitlines()
    assert len(out) == 1 + 1234 and out[-1].split()[0] == "1"
    assert [p["limit"] for _, p, _ in cli.control.calls[-3:]] == [500, 500, 500]


def test_json_of_jobs_is_one_object_however_many_they_are(cli):
    """Printed as they come; also when the rest cannot be had."""
    cli.control.answers["ListJobs"] = pages = Pages(1234)
    code, data = cli.json("jobs")
    assert (code, list(data)) == (0, ["schema", "jobs", "left"])
    assert [j["id"] for j in data["jobs"]] == list(range(1234, 0, -1))
    assert data["left"] == 0
    code, data = cli.json("jobs", "--limit", "3")
    assert (code, len(data["jobs"]), data["left"]) == (0, 3, 1231)
    pages.fails_before = 735
    code, data = cli.json("jobs")
    assert (code, len(data["jobs"]), data["left"]) == (1, 500, 734)
    assert data["error"]["remedy"] == "wait"
    pages.fails_before = 1235
    code, data = cli.json("jobs")
    assert (code, list(data)) == (1, ["schema", "error"])
    cli.control.answers["ListJobs"] = Pages(0)
    assert cli.json("jobs", "--all") == (0, {"schema": 1, "jobs": [], "left": 0})


# ---- what people see --------------------------------------------------------------------------

LONG = "ipps://printer-with-a-very-long-name.branch-office.example.com:631/ipp/print/drucker-büro"


def test_everything_fits_80_columns(cli):
    """Names of any length, in any script."""
    error = {"kind": "rejected", "code": 1, "text": 9 * "the queue does not take it, "}
    cli.control.answers.update({
        "GetStatus": status(health=[health("error")]),
        "ListPrinters": {"printers": [
            printer(1, queue=LONG, cloud="a-cloud-with-a-name-that-is-long", state="offline",
                    reasons=["it is " + LONG], jobs=123456),
            printer(2, queue="プリンター" * 9), printer(3, queue="a\tb\x1b[31m")]},
        "ListJobs": {"jobs": [
            job(1234567890, queue=LONG, user="anna.with.a.long.name@subsidiary.example.com",
                error=error), job(1, queue=None, cloud=None, state="done", outcome="aborted")]},
        "GetJob": {"job": job(9, queue=LONG, error=error, dropped=[9 * "sides: one only, "]),
                   "events": ANSWERS["GetJob"]["events"]},
    })
    for verb in (["status"], ["printers"], ["printers", "--available"], ["jobs"], ["job", "9"]):
        code, out, err = cli.run(*verb)
        assert code in (0, 4) and err == ""
        assert max(map(width, out.splitlines())) <= 80, out
        assert "\x1b" not in out
        assert all(line == line.rstrip() for line in out.splitlines()), out
    assert "…" in cli.run("jobs")[1]
    assert "…" not in cli.run("jobs", env={"COLUMNS": "300"})[1]


def test_what_comes_from_outside_is_made_safe_to_show(cli):
    """From the daemon and from the arguments; cut UTF-8 too."""
    evil = "a\x1b[2J\x07\u202eb"
    cli.control.answers["GetJob"] = {
        "job": job(1, queue=evil, cloud=evil, state=evil, name=evil),
        "events": [{"time": evil, "source": 9 * "ü" + evil, "text": evil}]}
    cli.control.answers["GetStatus"] = status(version=evil, health=[
        {"code": evil, "severity": evil, "subject": evil, "text": evil, "remedy": evil}])
    for verb in (["job", "1"], ["status"], ["register", "b\udcc3"], ["register", "\udcf0"]):
        code, out, err = cli.run(*verb)
        assert code in (0, 2)
        assert not re.search("[\x1b\x07\u202e]", out + err), (out, err)


def test_columns_are_aligned(cli):
    """Also where characters have more bytes than columns."""
    cli.control.answers["ListPrinters"] = {"printers": [
        printer(1, queue="büro"), printer(2, queue="laser", state="refused")]}
    lines = cli.run("printers")[1].splitlines()
    assert lines[0].index("STATE") == lines[1].index("online") == lines[2].index("refused")


def test_printers_of_one_queue_in_two_clouds_show_their_ids(cli):
    """Since the name alone does not say which one is meant."""
    cli.control.answers["ListPrinters"] = {"printers": [
        printer(1), printer(2, cloud="branch"), printer(3, queue="other")]}
    out = cli.run("printers")[1]
    assert f"\n    id {ID % 1}\n" in out and f"\n    id {ID % 2}\n" in out and ID % 3 not in out


def test_notes_of_a_printer_have_lines_of_their_own(cli):
    cli.control.answers["ListPrinters"] = {"printers": [
        printer(1, state="offline", reasons=["queue laser is stopped"]),
        printer(2, cloud="branch")]}
    out = cli.run("printers")[1]
    assert f"\n    queue laser is stopped\n    id {ID % 1}\n" in out


@pytest.mark.parametrize("verb, method, answer, words", [
    (["printers"], "ListPrinters", {"printers": []}, "print-connector register QUEUE (print"),
    (["printers", "--available"], "ListQueues", {"queues": []}, "lpadmin"),
    (["jobs"], "ListJobs", {"jobs": []}, "print-connector jobs --all"),
    (["jobs", "--all"], "ListJobs", {"jobs": []}, "print-connector printers"),
    (["status"], "GetStatus", status(clouds=[], printers={}, jobs={}), "[cloud NAME]"),
])
def test_empty_lists_say_what_to_do_next(cli, verb, method, answer, words):
    """In place of a table without rows."""
    cli.control.answers[method] = answer
    code, out, _ = cli.run(*verb)
    assert code == 0
    assert words in " ".join(out.split())


def test_times_are_local_and_short(cli):
    """By the reader's zone."""
    cli.control.answers["ListJobs"] = {"jobs": [job(1)]}
    assert "2024-02-03 17:02 " in cli.run("jobs")[1]
    assert "2024-02-03 22:32 " in cli.run("jobs", env={"TZ": "XXX-5:30"})[1]


def on_terminal(cli, *arguments, answer=b"", env=None, errors=None):
    """Its exit code and what a terminal got; errors: a file for them."""
    pid, terminal = pty.fork()
    if not pid:
        if errors:
            os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT, 0o600), 2)
        os.execve(CLI, [CLI, "--socket", cli.path, *arguments],
                  {"TERM": "xterm", "TZ": "UTC", **(env or {})})
    out = b""
    while True:
        if answer and b"[y/N]" in out:
            os.write(terminal, answer)
            answer = b""
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        out += data
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.decode()


def test_nobody_is_asked_who_cannot_see_the_question(cli, tmp_path):
    """Errors go to a file: the question would stand there."""
    errors = tmp_path / "errors"
    code, _ = on_terminal(cli, "unregister", "laser", errors=errors)
    assert code == 2 and "--yes" in errors.read_text()
    assert not cli.control.calls


def test_colours_are_for_terminals_only(cli):
    """And not even there when NO_COLOR says so."""
    assert "\x1b[32monline" in on_terminal(cli, "printers")[1]
    assert "\x1b" not in on_terminal(cli, "printers", env={"NO_COLOR": "1"})[1]
    assert "\x1b" not in on_terminal(cli, "printers", env={"TERM": "dumb"})[1]
    assert "\x1b" not in cli.run("printers", env={"TERM": "xterm"})[1]


@pytest.mark.parametrize("rows", [24, 40])
def test_status_fits_one_screen_however_much_is_wrong(cli, rows):
    """Of one kind two are shown and all are counted; errors come first."""
    entries = [{**health("warning"), "code": f"kind-{n % 9}"} for n in range(900)]
    cli.control.answers["GetStatus"] = status(health=entries + [health("error")])
    code, out, _ = cli.run("status", env={"LINES": str(rows)})
    lines = out.splitlines()
    assert code == 4
    assert len(lines) < rows
    assert [line for line in lines if line.startswith(("error", "warning"))][0].startswith("error")
    shown = sum(line.startswith(("error", "warning")) for line in lines)
    assert f"and {901 - shown} more" in out
    assert lines[-1].startswith("Next") and "print-connector doctor" in lines[-1]


def test_status_says_what_is_wrong_with_whom(cli):
    """Also where the text of it does not."""
    cli.control.answers["GetStatus"] = status(health=[
        {**health("error"), "subject": "laser", "text": "connecting to the cloud"},
        {**health("error"), "subject": "ink", "text": "queue ink is stopped"}])
    out = cli.run("status")[1]
    assert "laser: connecting to the cloud" in out
    assert " queue ink is stopped" in out and "ink: queue" not in out


@pytest.mark.parametrize("more, words", [
    ({}, "print-connector watch"), ({"jobs": {}}, "print-connector jobs --all"),
    ({"jobs": {"held": 1}}, "print-connector jobs shows"),
    ({"printers": {}}, "print-connector printers --available"),
    ({"clouds": []}, "print-connector.conf"), ({"health": [health("warning")]}, "printers shows"),
])
def test_status_names_the_next_command(cli, more, words):
    """By what there is to do."""
    cli.control.answers["GetStatus"] = status(**more)
    assert words in cli.run("status")[1].splitlines()[-1]


class Watching:
    """`watch` on a terminal of so many rows."""

    def __init__(self, cli, rows=24, columns=80):
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.execve(CLI, [CLI, "--socket", cli.path, "watch"], {"TERM": "xterm", "TZ": "UTC"})
        self.out = ""
        self.resize(rows, columns)

    def resize(self, rows, columns=80):
        """SIGWINCH comes with it."""
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, regex, timeout=30):
        """What was drawn up to there; the rest stays."""
        deadline = time.monotonic() + timeout
        while not re.search(regex, self.out, re.S):
            assert select.select([self.terminal], [], [], deadline - time.monotonic())[0], self.out
            try:
                self.out += os.read(self.terminal, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"ended: {self.out}") from None
        end = re.search(regex, self.out, re.S).end()
        drawn, self.out = self.out[:end], self.out[end:]
        return drawn

    def end(self):
        """Its exit code."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.terminal)
        return code


def test_watch_draws_again_what_changed_until_ctrl_c(cli):
    """On a page of its own, which goes without a trace."""
    change, end = threading.Event(), threading.Event()
    cli.control.answers["Watch"] = [status(open=[job(12)]), change, status(open=[job(13)]), end,
                                    status(open=[])]
    watch = Watching(cli)
    first = watch.until("12\x1b\\[0m.*\x1b\\[J")
    assert first.startswith("\x1b[?1049h\x1b[?25l")
    change.set()
    again = watch.until("13\x1b.*\x1b\\[J")
    assert "\x1b[H" in again
    watch.resize(10)
    small = watch.until("\x1b\\[J")
    assert small.count("\n") <= 9
    os.write(watch.terminal, b"\x03")
    watch.until("\x1b\\[\\?25h\x1b\\[\\?1049l")
    assert watch.end() == 0
    end.set()


def test_watch_waits_for_a_daemon_that_restarts(cli):
    """And goes on with the next one."""
    hang_up, end = threading.Event(), threading.Event()
    cli.control.answers["Watch"] = [status(open=[job(12)]), hang_up, status(open=[]), None]
    watch = Watching(cli)
    watch.until("12\x1b.*\x1b\\[J")
    cli.control.answers["Watch"] = [status(open=[job(14)]), end, status()]
    hang_up.set()
    watch.until("trying again")
    watch.until("14\x1b.*\x1b\\[J")
    os.kill(watch.pid, signal.SIGTERM)
    watch.until("\x1b\\[\\?1049l")
    assert watch.end() == 0
    end.set()


def test_what_comes_after_watch_is_not_watch(cli):
    cli.control.answers["Watch"] = [status(open=[job(12)], health=[]), threading.Event()]
    watch = Watching(cli)
    assert "print-connector watch" not in watch.until("12\x1b.*\x1b\\[J")
    os.write(watch.terminal, b"\x03")
    watch.until("\x1b\\[\\?1049l")
    assert watch.end() == 0


def test_watch_with_json_counts_errors_too(cli):
    cli.control.answers["Watch"] = [status(open=[]), status(health=[health("error")], open=[])]
    code, out, _ = cli.run("--json", "watch")
    assert code == 4 and len(out.splitlines()) == 2


def test_watch_without_a_terminal_prints_a_line_for_each_change(cli):
    """What is as before is not said again."""
    cli.control.answers["Watch"] = [status(open=[]), status(open=[]), status(health=[
        {**health("error"), "text": "CUPS does not answer"}], open=[])]
    code, out, _ = cli.run("watch")
    lines = out.splitlines()
    assert code == 4
    assert [line[8:] for line in lines] == [
        "  printers: 3 online, 1 offline; jobs: 2 printing",
        "  printers: 3 online, 1 offline; jobs: 2 printing; CUPS does not answer"]
    assert [json.loads(line)["schema"] for line in cli.run("--json", "watch")[1].splitlines()] \
        == [1, 1, 1]


def test_what_takes_longer_than_a_second_says_so_on_a_terminal(cli):
    """And takes it back."""
    answered = threading.Event()
    cli.control.answers["GetMetrics"] = lambda parameters: (answered.wait(1.5), {"text": "a 1"})[1]
    code, out = on_terminal(cli, "metrics")
    assert code == 0
    assert "\rwaiting for print-connectord, 1 s\x1b[K\r\x1b[K" in out
    assert cli.run("metrics")[2] == ""


def test_unregister_asks_on_a_terminal(cli):
    """Anything but yes changes nothing."""
    code, out = on_terminal(cli, "unregister", "laser", answer=b"n\n")
    assert code == 1
    assert "nothing was changed" in out
    assert not cli.control.calls
    code, out = on_terminal(cli, "unregister", "laser", answer=b"y\n")
    assert code == 0
    assert len(cli.control.calls) == 1

"""`backup` and `restore`: a host can be lost without losing its printers, and nothing but the
passphrase opens what was saved."""

import os
import pty
import select
import shutil
import sqlite3
import stat

import pytest

from bed import BUILD, PDF
from bed.route import Route, connect, wait_health

OTHER = "0123456789abcdef0123456789abcdef"


class Host:
    """The command as root beside a daemon's settings."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.secret = daemon.dir / "passphrase"
        self.secret.write_text("correct horse battery\n")
        self.secret.chmod(0o600)

    def cli(self, *arguments, **options):
        """A verb that needs no socket."""
        return self.daemon.cli("--config", self.daemon.config, *arguments, "--passphrase-file",
                               self.secret, **options)


@pytest.fixture(name="saved")
def fixture_saved(bed, eve):
    """A daemon with a printer, and its backup made while it runs."""
    daemon = bed.daemon(with_cups=False)
    route = connect(bed, daemon, eve.uri)
    host = Host(daemon)
    host.route = route
    host.file = daemon.dir / "saved.backup"
    done = host.cli("backup", host.file)
    assert done.code == 0, done
    host.told = done.data
    return host


def _empty(host):
    """As on a host where nothing was ever registered."""
    host.daemon.stop()
    shutil.rmtree(host.daemon.state)
    host.daemon.state.mkdir(mode=0o700)
    shutil.chown(host.daemon.state, "nobody", "nogroup")


def test_what_was_saved_prints_again_after_the_state_is_lost(bed, eve, saved):
    daemon = saved.daemon
    assert saved.told == {"schema": 1, "printers": 1, "open_jobs": 0, "keys": 0,
                          "file": str(saved.file)}
    assert stat.S_IMODE(saved.file.stat().st_mode) == 0o600
    before = daemon.printer(eve.uri)
    first = saved.route.ended(saved.route.submit(PDF))[1]
    _empty(saved)
    done = saved.cli("restore", saved.file, as_json=False)
    assert done.code == 0 and "1 printer is back" in done.stdout, done
    for path in daemon.state.rglob("*"):
        assert path.owner() == "nobody", path
    assert not list(daemon.state.glob("*-new"))
    daemon.start()
    daemon.wait_printer(eve.uri)
    assert daemon.printer(eve.uri)["id"] == before["id"]
    _, job = saved.route.ended(saved.route.submit(PDF))
    assert job["id"] > first["id"]  # though the backup did not know of it
    assert len(eve.ledger()) == 2


def test_keys_are_saved_and_come_back_for_their_owner_only(bed, eve):
    cloud = bed.start_cloud(tls=True, system="none")
    daemon = bed.make_daemon(with_cups=False, clouds={"test": {
        "uri": cloud.base(tls=True), "ca-file": cloud.ca,
        "system-uri": f"ipps://localhost:{cloud.tls_port}/ipp/system"}})
    daemon.start()
    daemon.verb("register", eve.uri)
    daemon.wait_printer(eve.uri)
    host = Host(daemon)
    file = daemon.dir / "saved.backup"
    assert host.cli("backup", file).data["keys"] == 1
    name = daemon.printer(eve.uri)["id"] + ".pem"
    key = (daemon.state / "keys" / name).read_bytes()
    assert key not in file.read_bytes() and b"PRIVATE KEY" not in file.read_bytes()
    _empty(host)
    assert host.cli("restore", file).code == 0
    restored = daemon.state / "keys" / name
    assert restored.read_bytes() == key
    assert stat.S_IMODE(restored.stat().st_mode) == 0o600
    daemon.start()
    daemon.wait_printer(eve.uri)


def test_another_machine_prints_nothing_until_it_takes_over(bed, eve, saved):
    daemon = saved.daemon
    daemon.stop()
    with sqlite3.connect(daemon.state / "state.db") as database:
        database.execute("UPDATE printers SET owner = ?", (OTHER,))
    database.close()
    assert saved.cli("backup", saved.file).code == 0  # without a daemon
    _empty(saved)
    done = saved.cli("restore", saved.file, as_json=False)
    assert done.code == 4 and "restore --takeover" in " ".join(done.stdout.split()), done
    daemon.start()
    wait_health(daemon, "state-read-only")
    number = bed.cloud.submit(PDF)
    assert daemon.printer(eve.uri)["state"] == "offline"
    daemon.stop()
    asked = saved.cli("restore", "--takeover")
    assert asked.code == 2 and "--yes" in asked.error["remedy"]
    taken = saved.cli("restore", "--takeover", "--yes")
    assert taken.code == 0 and taken.data == {"schema": 1, "printers": 1, "read_only": 0, "held": 0}
    daemon.start()
    Route(bed, daemon, eve.uri).ended(number)


def test_jobs_that_may_have_printed_since_are_held_until_the_cloud_says_that_they_ended(bed, eve):
    eve.mode = "hold"
    daemon = bed.daemon(with_cups=False)
    route = connect(bed, daemon, eve.uri)
    host = Host(daemon)
    file = daemon.dir / "saved.backup"
    with eve.gate():
        number = route.submit(PDF)
        route.wait_record(number, "printing")
        assert host.cli("backup", file).data["open_jobs"] == 1
    route.ended(number)
    _empty(host)
    done = host.cli("restore", file)
    assert done.code == 4 and done.data["held"] == 1
    daemon.start()
    daemon.wait_printer(eve.uri)
    job = route.wait_record(number, "done")  # the cloud knows that it has ended
    assert "the cloud has ended the job" in job["error"]["text"]
    assert any("restored from a backup" in text for text in route.events(number))
    assert route.told(number)["final_told"] == 1
    assert len(eve.ledger()) == 1


def test_what_is_wrong_with_a_backup_is_said_and_changes_nothing(saved):
    daemon = saved.daemon
    _empty(saved)
    whole = saved.file.read_bytes()

    def restore(data):
        saved.file.write_bytes(data)
        done = saved.cli("restore", saved.file)
        assert done.code == 1, done
        assert not [p for p in daemon.state.iterdir() if p.name != "lock"]
        return done.error["text"]

    assert "cut" in restore(whole[:-10])
    assert "changed or cut" in restore(whole[:3000] + b"x" + whole[3001:])
    assert "no backup" in restore(b"something else" * 100)
    saved.secret.write_text("correct horse battleship\n")
    assert "passphrase is wrong" in restore(whole)
    saved.secret.write_text("short\n")
    assert "8 bytes" in restore(whole)
    saved.secret.chmod(0o644)
    assert "chmod 600" in restore(whole)
    saved.secret.chmod(0o600)
    missing = saved.cli("restore", saved.file.parent / "nothing")
    assert missing.code == 1 and "nothing" in missing.error["text"]


def test_a_state_in_use_is_not_overwritten(saved):
    running = saved.cli("restore", saved.file)
    assert running.code == 1 and "already used by process" in running.error["text"]
    assert running.error["remedy"] == "systemctl stop print-connector"
    saved.daemon.stop()
    full = saved.cli("restore", saved.file)
    assert full.code == 1 and "1 printer and no jobs already" in full.error["text"]


def test_strangers_get_no_backup(saved):
    path = saved.daemon.dir / "stolen"
    saved.secret.chmod(0o644)
    readable = saved.cli("backup", "/tmp/pc-stolen", user="daemon")
    assert readable.code == 1 and "chmod 600" in readable.error["text"]
    shutil.chown(saved.secret, "daemon")
    saved.secret.chmod(0o600)
    done = saved.cli("backup", "/tmp/pc-stolen", user="daemon")
    assert done.code == 3 and "root" in done.error["remedy"], done
    assert not path.exists() and not os.path.exists("/tmp/pc-stolen")


def test_a_passphrase_is_typed_twice_and_never_shown(saved):
    path = saved.daemon.dir / "typed.backup"
    for second, code, words in (("correct horse", 0, "typed.backup"), ("another", 1, "differ")):
        pid, terminal = pty.fork()
        if not pid:
            os.execve(BUILD / "print-connector",
                      ["print-connector", "--config", saved.daemon.config, "backup", path],
                      {"TERM": "xterm"})
        out, answers = "", ["correct horse", second]
        while True:
            assert select.select([terminal], [], [], 30)[0], out
            try:
                out += os.read(terminal, 4096).decode()
            except OSError:
                break
            if answers and out.rstrip().endswith(("Passphrase:", "again:")):
                os.write(terminal, answers.pop(0).encode() + b"\n")
                out += "|"
        os.close(terminal)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code, out
        assert words in out and "horse" not in out and "another" not in out


def test_a_backup_takes_the_place_of_its_file_and_of_nothing_else(bed, saved):
    daemon = saved.daemon
    (bed.dir / "bk.new").write_text("somebody's")
    device = bed.dir / "device"
    os.mknod(device, 0o600 | stat.S_IFCHR, os.makedev(1, 7))
    secret = bed.dir / "passphrase-of-it"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    for path, passphrase, code in ((bed.dir / "bk", "/nope", 1), (device, secret, 1),
                                   (bed.dir / "bk", secret, 0)):
        done = daemon.cli("--config", daemon.config, "backup", path, "--passphrase-file",
                          passphrase)
        assert done.code == code, done
    assert daemon.cli("metrics", "--write", device).code == 1
    assert (bed.dir / "bk.new").read_text() == "somebody's" and device.is_char_device()
    assert not list(bed.dir.glob("*-new")) and (bed.dir / "bk").stat().st_size > 1000

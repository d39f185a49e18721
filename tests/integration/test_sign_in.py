"""How a printer proves to its cloud who it is: certificate, password, or a key made here."""

import os
import pwd
import stat

import pytest

from bed import PDF
from bed.daemon import USER
from bed.route import Route, connect, wait_health


def _write_secret(path, text):
    """A file that only the daemon may read."""
    path.write_text(text)
    owner = pwd.getpwnam(USER)
    os.chown(path, owner.pw_uid, owner.pw_gid)
    path.chmod(0o600)
    return path


def _certificate(bed, name):
    """Options of register for a certificate of this name."""
    certificate, key = bed.cloud.certificate(name)
    return ("--certificate", _write_secret(bed.dir / f"{name}.crt", certificate),
            "--key", _write_secret(bed.dir / f"{name}.key", key))


def _tls_daemon(bed, **cloud):
    return bed.daemon(clouds={"test": {"uri": bed.cloud.base(tls=True), "ca-file": bed.cloud.ca,
                                       **cloud}})


def test_each_printer_has_a_certificate_of_its_own(bed, eve):
    bed.start_cloud("a,auth=cert", "b,auth=cert", tls=True)
    second = bed.ipp_printer("second")
    daemon = _tls_daemon(bed)
    first = connect(bed, daemon, eve.uri, "a", *_certificate(bed, "a"), tls=True)
    other = connect(bed, daemon, second.uri, "b", *_certificate(bed, "b"), tls=True)
    numbers = first.submit(PDF), other.submit(PDF)
    first.ended(numbers[0])
    other.ended(numbers[1])
    shown = [daemon.printer(queue)["certificate"] for queue in (eve.uri, second.uri)]
    assert shown[0]["sha256"] != shown[1]["sha256"] and shown[0]["not_after"] > "2026"
    daemon.restart()
    first.wait_online()
    first.ended(first.submit(PDF))


def test_the_certificate_of_another_printer_is_refused_at_once(bed, eve):
    bed.start_cloud("a,auth=cert", "b,auth=cert", tls=True)
    daemon = _tls_daemon(bed)
    result = daemon.cli("register", eve.uri, "--cloud", "test", "--cloud-uri",
                        bed.cloud.uri("a", tls=True), *map(str, _certificate(bed, "b")))
    assert result.code == 1
    assert daemon.printers() == []
    connect(bed, daemon, eve.uri, "a", *_certificate(bed, "a"), tls=True)


def test_a_cloud_whose_certificate_nobody_signed_is_not_spoken_to(bed, eve):
    bed.start_cloud("q", tls=True)
    daemon = bed.daemon(clouds={"test": {"uri": bed.cloud.base(tls=True)}})
    result = daemon.cli("register", eve.uri, "--cloud", "test", "--cloud-uri",
                        bed.cloud.uri(tls=True))
    assert result.code == 1
    assert "certificate" in result.stdout.lower()
    assert bed.cloud.counters() == {} or sum(bed.cloud.counters().values()) == 0


@pytest.mark.parametrize("place", ["of the cloud", "of the printer"])
def test_a_password_comes_from_a_file(bed, eve, place):
    bed.start_cloud("q,auth=basic:maria:geheim")
    secret = _write_secret(bed.dir / "password", "geheim\n")
    keys = {"username": "maria", "password-file": secret}
    mine = place == "of the printer"
    daemon = bed.daemon(clouds={"test": {"uri": bed.cloud.base(), **({} if mine else keys)}})
    options = ("--username", "maria", "--password-file", secret) if mine else ()
    route = connect(bed, daemon, eve.uri, "q", *options)
    route.ended(route.submit(PDF))
    assert "geheim" not in daemon.process.text()
    assert not [path for path, data in daemon.files().items() if b"geheim" in data]


def test_a_wrong_password_is_said_at_registration(bed, eve):
    bed.start_cloud("q,auth=basic:maria:geheim")
    secret = _write_secret(bed.dir / "password", "wrong\n")
    daemon = bed.daemon(clouds={"test": {"uri": bed.cloud.base(), "username": "maria",
                                         "password-file": secret}})
    result = daemon.cli("register", eve.uri, "--cloud", "test", "--cloud-uri", bed.cloud.uri())
    assert result.code == 1
    assert "401" in result.stdout and "wrong" not in result.stdout
    assert daemon.printers() == []


def test_a_password_file_that_others_may_read_is_refused(bed, eve):
    bed.start_cloud("q,auth=basic:maria:geheim")
    secret = _write_secret(bed.dir / "password", "geheim\n")
    secret.chmod(0o644)
    daemon = bed.daemon(clouds={"test": {"uri": bed.cloud.base(), "username": "maria",
                                         "password-file": secret}})
    result = daemon.cli("register", eve.uri, "--cloud", "test", "--cloud-uri", bed.cloud.uri())
    assert result.code == 1
    assert str(secret) in result.stdout and "geheim" not in result.stdout


def test_a_password_that_changed_is_refused_later_with_the_remedy(bed, eve):
    bed.start_cloud("q,auth=basic:maria:geheim")
    secret = _write_secret(bed.dir / "password", "geheim\n")
    daemon = bed.daemon(clouds={"test": {"uri": bed.cloud.base(), "username": "maria",
                                         "password-file": secret}})
    route = connect(bed, daemon, eve.uri)
    bed.cloud.configure("q", options="auth=basic:maria:neu")
    bed.cloud.forget("subscriptions")
    daemon.wait_printer(eve.uri, "refused")
    entry = wait_health(daemon, "printer-refused")
    assert "password" in entry["text"] + entry["remedy"]
    _write_secret(secret, "neu\n")
    daemon.restart()
    route.wait_online()
    route.ended(route.submit(PDF))


def test_the_cloud_makes_the_printer_and_signs_a_key_made_here(bed, eve):
    bed.start_cloud("unused", tls=True, system="none")
    system = f"ipps://localhost:{bed.cloud.tls_port}/ipp/system"
    daemon = _tls_daemon(bed, **{"system-uri": system})
    daemon.verb("register", eve.uri, "--cloud", "test")
    printer = daemon.wait_printer(eve.uri)
    name = printer["id"]
    route = Route(bed, daemon, eve.uri, name).wait_online()
    assert bed.cloud.printer(name)["auth"] == "cert"
    assert printer["certificate"]["not_after"] > "2026"
    key = daemon.state / "keys" / f"{name}.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "PRIVATE KEY" in key.read_text()
    route.ended(route.submit(PDF))
    daemon.restart()
    route.wait_online()
    route.ended(route.submit(PDF))
    daemon.verb("unregister", eve.uri, "--yes")
    assert not key.exists()


def test_a_registration_that_fails_leaves_nothing(bed, eve):
    bed.start_cloud("q", tls=True, system="none")
    daemon = _tls_daemon(bed, **{"system-uri":
                                 f"ipps://localhost:{bed.cloud.tls_port}/ipp/system"})
    bed.cloud.fault("ipp-status", operation="Register-Output-Device", status=0x0403)
    result = daemon.cli("register", eve.uri, "--cloud", "test")
    assert result.code == 1
    assert daemon.printers() == []
    keys = daemon.state / "keys"
    assert not keys.exists() or list(keys.iterdir()) == []
    assert daemon.cli("register", "no-such-queue", "--cloud", "test").code == 1
    result = daemon.cli("register", eve.uri, "--cloud", "elsewhere")
    assert result.code == 1 and "elsewhere" in result.stdout
    daemon.verb("register", eve.uri, "--cloud", "test")
    daemon.wait_printer(eve.uri)


def test_plain_http_to_another_host_is_no_setting(bed):
    daemon = bed.make_daemon(clouds={"test": {"uri": "ipp://cloud.example.com/ipp/print"}},
                             with_cups=False)
    daemon.expect_clean = False
    assert daemon.spawn().wait() == 1
    assert "ipps://" in daemon.process.text()

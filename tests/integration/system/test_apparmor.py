"""The AppArmor profile, which this kernel may not be able to enforce: everything that the service
does with files is allowed by it."""

import os
import signal

from apparmor import TRACE, Profile, used
from bed import PDF, ROOT
from bed.route import connect
from service import CREDENTIALS, drop_in, output, systemctl

PROFILE = "/etc/apparmor.d/usr.sbin.print-connectord"
WORK = "/var/cache/print-connector"


def test_the_profile_is_understood(installed):
    del installed
    code, text = output(["apparmor_parser", "-Q", "-K", PROFILE])
    assert code == 0, text
    assert output(["cmp", PROFILE, ROOT / "packaging/apparmor/usr.sbin.print-connectord"])[0] == 0


def test_the_reader_of_profiles_can_tell_what_is_forbidden(installed):
    del installed
    profile = Profile(PROFILE)
    assert profile.allows("/etc/print-connector/conf.d/x.conf", "r")
    assert not profile.allows("/etc/print-connector/conf.d/x.conf", "w")
    assert profile.allows("/var/lib/print-connector/keys/x.pem", "w")
    assert profile.allows("/proc/17/status", "r")
    assert not profile.allows("/etc/shadow", "r")
    assert not profile.allows("/bin/sh", "x")
    assert used('openat(AT_FDCWD</>, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 5</etc/passwd>\n'
                'openat(AT_FDCWD</>, "/no", O_RDONLY) = -1 ENOENT (No such file or directory)\n'
                'unlinkat(4</var/lib>, "x", 0) = 0\n') \
        == {("/etc/passwd", "r"), ("/var/lib/x", "w")}


def test_the_profile_allows_what_the_service_does(bed, make_service):
    bed.start_cloud("q,auth=basic:proxy:secret", "eve,auth=basic:proxy:secret")
    service = make_service({"test": {"uri": bed.cloud.base(), "username": "proxy",
                                     "password-file": "credential:office"}})
    secret = CREDENTIALS / "office"
    secret.write_text("secret\n")
    secret.chmod(0o600)
    # rights to look at the memory and the descriptors of a process that hides both
    rights = "CAP_SYS_PTRACE CAP_DAC_READ_SEARCH"
    extra = drop_in(f"[Service]\nCapabilityBoundingSet={rights}\nAmbientCapabilities={rights}\n"
                    "SystemCallFilter=\nNotifyAccess=all\nExecStart=\nExecStart="
                    f"/usr/bin/strace -ff -qq -y {TRACE.replace('%', '%%')} -o {WORK}/trace "
                    "/usr/sbin/print-connectord\n")
    try:
        service.start()
        printer = bed.socket_printer()
        bed.cups.add_raw("laser", printer.uri)
        route = connect(bed, service, "laser")
        route.ended(route.submit(PDF), timeout=120)
        eve = connect(bed, service, bed.ipp_printer().uri, "eve")
        eve.ended(eve.submit(PDF), timeout=120)
        service.reload()
        daemon = int(output(["pgrep", "-P", service.pid])[1])
        os.kill(daemon, signal.SIGTERM)
        service.wait_show("ActiveState", "^inactive$")
        trace = output(["sh", "-c", f"cat {WORK}/trace.*"])[1]
    finally:
        extra.unlink()
        systemctl("daemon-reload")
    profile = Profile(PROFILE)
    # to AppArmor a folder ends with a slash, however it was opened
    done = {(path + "/" * (os.path.isdir(path) and path[-1] != "/"), letter)
            for path, letter in used(trace) if not path.startswith(str(bed.dir.parent))}
    for known in (("/etc/print-connector/print-connector.conf", "r"), ("/run/systemd/notify", "w"),
                  ("/run/credentials/print-connector.service/print-connector_office", "r"),
                  ("/var/lib/print-connector/state.db-wal", "w")):
        assert known in done, sorted(done)
    forbidden = sorted(f"{path} {letter}" for path, letter in done
                       if not profile.allows(path, letter))
    assert not forbidden, "\n".join(forbidden)

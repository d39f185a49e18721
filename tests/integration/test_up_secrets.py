"""Universal Print: codes, nonces, tokens and keys are nowhere but where they are needed."""

import pathlib
import pwd
import re
import subprocess

import pytest

from bed import PDF, SANITIZED
from bed.daemon import USER
from bed.up import begin, enroll, enrolled

NO_SHADOW = pytest.mark.skipif(SANITIZED, reason="the sanitizer's shadow fills any disk")


def _private(key):
    """A private key as it may lie in memory: lines of PEM, and numbers in both orders of bytes."""
    lines = key.read_text().splitlines()[1:-1]
    shown = subprocess.run(["openssl", "rsa", "-in", key, "-text", "-noout"], check=True,
                           capture_output=True, text=True).stdout
    found = {line.encode() for line in lines}
    for name in ("privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient"):
        number = re.search(name + r":\n((?: +[0-9a-f:]+\n)+)", shown).group(1)
        number = bytes.fromhex(re.sub(r"[\s:]", "", number)).lstrip(b"\0")
        found |= {number, number[::-1]}
    return found


def test_no_secret_is_in_logs_database_arguments_or_environment(bed, eve):
    cloud = bed.start_up()
    daemon = bed.up_daemon(cloud, with_cups=False)
    route, = enrolled(daemon, cloud, eve.uri)
    route.printed(route.submit(PDF))
    enroll(daemon, cloud, eve.uri, renew=True)
    cloud.revoke(route.printer)
    route.printed(route.submit(PDF))
    said = [daemon.cli(*verb, as_json=as_json).stdout for as_json in (True, False)
            for verb in (("status",), ("printers",), ("jobs", "--all"), ("metrics",), ("job", "1"))]
    places = {"output": "".join(said).encode(), "log": daemon.process.log.read_bytes()}
    for name in ("cmdline", "environ"):
        with open(f"/proc/{daemon.process.pid}/{name}", "rb") as file:
            places[name] = file.read()
    secrets = set(cloud.secrets()) | {code["user_code"] for code in cloud.codes()}
    keys = list((daemon.state / "keys").iterdir())
    for key in keys:
        assert key.stat().st_mode & 0o077 == 0, key
        if b"PRIVATE KEY" in key.read_bytes():
            secrets |= set(key.read_text().splitlines()[1:-1])
    assert len(secrets) > 10
    places |= {str(path): data for path, data in daemon.files().items() if path not in keys}
    assert any(place.endswith("state.db") for place in places)
    for place, data in places.items():
        assert not [s for s in secrets if s.encode() in data], place


@NO_SHADOW
def test_a_dump_of_the_process_has_neither_token_nor_key_nor_code(bed, bed_dir, eve):
    cloud = bed.start_up()
    daemon = bed.up_daemon(cloud, with_cups=False)
    route, = enrolled(daemon, cloud, eve.uri)
    route.printed(route.submit(PDF))
    enroll(daemon, cloud, eve.uri, renew=True)
    cloud.revoke(route.printer)
    route.printed(route.submit(PDF))
    core = daemon.process.dump(bed_dir)
    assert eve.uri.encode() in core  # it is a dump of that process
    tokens = [t["token"].encode() for t in cloud.tokens()]
    assert {t["kind"] for t in cloud.tokens()} == {"user", "printer"}
    secrets = {s.encode() for s in cloud.secrets()} | {t[100:160] for t in tokens}
    for code in cloud.codes():
        secrets |= {code["device_code"].encode(), code["user_code"].encode()}
    for key in (daemon.state / "keys").iterdir():
        secrets |= _private(key)
    assert not [s for s in secrets if s in core]


@NO_SHADOW
def test_a_dump_in_the_middle_of_a_registration_has_none_either(bed, bed_dir, eve):
    cloud = bed.start_up(up={"register-polls": -1})
    daemon = bed.up_daemon(cloud, with_cups=False)
    with begin(daemon, eve.uri) as call:
        code = call.until("code")["user_code"]
        cloud.wait(operation="up-token", count=2)
        waiting = daemon.process.dump(bed_dir)
        cloud.approve(code)
        cloud.wait(operation="up-register-poll", count=2)
        registering = daemon.process.dump(bed_dir)
    assert eve.uri.encode() in waiting and eve.uri.encode() in registering
    secrets = [code["device_code"].encode() for code in cloud.codes()]
    key, = [key for key in (daemon.state / "keys").iterdir()]
    secrets += _private(key)  # made before anybody has signed in
    assert not [s for s in secrets if s in waiting]
    token, = [t["token"].encode() for t in cloud.tokens()]
    assert not [s for s in [*secrets, token, token[100:160]] if s in registering]


def test_the_kernel_makes_no_dump_of_the_daemon(bed):
    daemon = bed.make_daemon(clouds={}, with_cups=False)
    daemon.start()
    place = pathlib.Path(f"/proc/{daemon.process.pid}")
    # proc(5): what may not be dumped belongs to root, and so nobody but root looks into it
    assert place.stat().st_uid == pwd.getpwnam(USER).pw_uid
    assert (place / "environ").stat().st_uid == (place / "mem").stat().st_uid == 0

"""Universal Print: codes, nonces, tokens and keys are nowhere but where they are needed."""

import re

from bed import PDF
from bed.up import enroll, enrolled


def _memory(pid, needles):
    """Those that are in the process' writable memory, which no other user can read."""
    found = set()
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if not match:
                continue
            first, last = (int(part, 16) for part in match.groups())
            try:
                memory.seek(first)
                data = memory.read(last - first)
            except OSError:
                continue
            found |= {needle for needle in needles if needle.encode() in data}
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
    for path in [*daemon.state.rglob("*"), *daemon.runtime.rglob("*"), *daemon.cache.rglob("*")]:
        if path.is_file() and path not in keys:
            places[str(path)] = path.read_bytes()
    for place, data in places.items():
        assert not [s for s in secrets if s.encode() in data], place


def test_what_the_administrator_signed_in_with_is_wiped(bed, eve):
    cloud = bed.start_up()
    daemon = bed.up_daemon(cloud, with_cups=False)
    route, = enrolled(daemon, cloud, eve.uri)
    route.printed(route.submit(PDF))
    user = {t["token"] for t in cloud.tokens() if t["kind"] == "user"}
    user |= {code["device_code"] for code in cloud.codes()}
    assert len(user) >= 2
    assert not _memory(daemon.process.pid, user)

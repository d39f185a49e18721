"""What the bench reads from outside: jobs' times by bench-ipp_bench, a process' memory, the
daemon's own metrics."""

import json
import os
import pathlib
import re
import subprocess
import threading
import time

from bed import BUILD

CLIENT = BUILD / "bench-ipp_bench"
SMAPS = {"anonymous": "Anonymous", "rss": "Rss", "pss": "Pss"}


def client(*words):
    """Runs the client; what it found."""
    done = subprocess.run([str(word) for word in (CLIENT, *words)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise AssertionError(f"{done.stderr.strip()} ({' '.join(map(str, words))})")
    return json.loads(done.stdout)


def single(rounds, *ways):
    """One list of milliseconds per way (uri, file); jobs alternate between the ways."""
    words = [word for uri, path in ways for word in (uri, path, "application/pdf")]
    return client("single", rounds, *words)["ways"]


def burst(jobs, submitters, uri, path):
    """Jobs a second, from the first byte sent to the last final state seen."""
    found = client("burst", jobs, submitters, uri, path, "application/pdf")
    return found["jobs"] / found["seconds"]


def memory(pid):
    """{"anonymous", "rss", "pss"} in MB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return {key: int(re.search(rf"^{name}: +(\d+) kB", text, re.MULTILINE).group(1)) / 1024
            for key, name in SMAPS.items()}


class Peak:
    """Context manager: anonymous memory is looked at all the time; most is in `anonymous`."""

    def __init__(self, pid):
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.anonymous = self.samples = 0

    def _look(self):
        while not self._over.wait(0.002):
            self.anonymous = max(self.anonymous, memory(self._pid)["anonymous"])
            self.samples += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._over.set()
        self._thread.join()


def lag(daemon):
    """Turns of the loop by how long events waited: {upper bound in ms: turns up to it}."""
    text = daemon.cli("metrics", as_json=False).stdout
    found = re.findall(
        r'^print_connector_loop_lag_seconds_bucket\{le="([^"]+)"\} (\d+)', text, re.MULTILINE)
    return {float(bound) * 1e3: int(count) for bound, count in found}


def commits(daemon):
    """Transactions that its store has committed since it was started."""
    text = daemon.cli("metrics", as_json=False).stdout
    found = re.search(r"^print_connector_store_commits_total (\d+)", text, re.MULTILINE)
    return int(found.group(1))


def fdatasync(folder, rounds=200):
    """Milliseconds that the disk takes for 4 KB, each time."""
    found = []
    path = folder / "fdatasync"
    with open(path, "wb", buffering=0) as file:
        for _ in range(rounds):
            file.write(bytes(4096))
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            found.append(1e3 * (time.perf_counter() - begin))
    path.unlink()
    return found


def percentile(lags, part):
    """(ms, turns): the smallest bound that holds so large a part of the turns."""
    turns = max(lags.values(), default=0)
    fit = [bound for bound, count in sorted(lags.items()) if turns and count >= part * turns]
    return (fit[0] if fit else None), turns

"""make check-crash: breaks the connector and all around it, and holds the ledgers against the
promise. Exit status 1 when anything was lost, doubled or said that is not so."""

import argparse
import collections
import multiprocessing
import os
import pathlib
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration"), str(HERE.parent / "lib")]

from bed import BUILD, process
from bed.ippeve import Bus
from bed.watch import Timeout, wait_until

import faults
import world as world_module
from world import World

STATES = ("-", "claiming", "handing", "printing", "waiting", "held", "reporting")
CHAIN = 3          # lives between two judgements
BED_FAULTS = 250   # then everything is made anew
SLOW = 4           # seconds for a life whose faults do not end it
OTHERS = 0.01      # of other faults where one kind is wanted
UNDONE_MOST = 0.25  # of all jobs, held or aborted; a tenth is usual
HANGS = 3000       # ms after which a connection on which nothing comes is gone
COUNTED = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>")
LINE = re.compile(r"^(\d+) +(\w+)\((?:\d+<(.*?)>(?=[,) ]))?")


class Tally:
    """What was done, for the table. Goes from the workers to the main program as it is."""

    def __init__(self):
        self.faults = collections.Counter()  # (kind, row)
        self.cells = collections.Counter()   # (kind, row, column)
        self.jobs = collections.Counter()    # what became of them
        self.missed = 0                      # never reached

    def add(self, kind, row, columns):
        """One fault."""
        self.faults[kind, row] += 1
        for column in set(columns) or {"-"}:
            self.cells[kind, row, column] += 1

    def merge(self, other):
        """Both together."""
        self.faults += other.faults
        self.cells += other.cells
        self.jobs += other.jobs
        self.missed += other.missed

    @property
    def total(self):
        """Of all faults."""
        return sum(self.faults.values())


class Worker:
    """One bed and what is done to it."""

    def __init__(self, folder, bus, seed):
        self.rng = random.Random(seed)
        self.seed = seed
        self.tally = Tally()
        self.history = []
        self.world = World(folder, bus, self.rng, self.rng.choice(("hold", "hold", "abort")))
        self.counts, self.before = {}, {}
        self.ports = {}
        self.sweep = None

    # ---- one life ----------------------------------------------------------------------------

    def calibrate(self):
        """How often each call comes in a life without faults."""
        w = self.world
        w.daemon.die()
        w.daemon.launch(faults.CALLS)
        w.pause_one()
        w.submit_some(3)
        w.wait_end(20)
        w.daemon.die()
        text = w.daemon.trace.read_text(errors="replace")
        own = text.index(str(w.daemon.config))  # before that the program is only being loaded
        self.before = collections.Counter(call for _, call in COUNTED.findall(text[:own]))
        per = collections.Counter(COUNTED.findall(text))
        for (_, call), count in per.items():
            self.counts[call] = max(self.counts.get(call, 0), count)
        self.ports = {w.cloud.port.number: "cloud",
                      **{one.address[1]: "printer" for one in w.to_eves}}

    def _number(self, fault):
        before = self.before.get(fault.call, 0)
        span = max(1, self.counts.get(fault.call, 1) - before)
        return fault.number or before + 1 + int(fault.where * span)

    def _places(self, text, call, injected):
        """Where the calls went that were struck; of a kill the last one."""
        found, begun = [], {}
        for line in text.splitlines():
            match, end = LINE.match(line), RESUMED.match(line)
            if match and match[2] == call:
                begun[match[1]] = world_module.place(match[3], self.ports)
            pid = (match or end) and (match or end)[1]
            mine = (match or end) and (match or end)[2] == call
            if mine and (not injected or "(INJECTED)" in line):
                found.append(begun.get(pid, "-"))
        return found if injected else found[-1:]

    def _die(self):
        """The end of a life that no fault has ended: by -9, which is one more."""
        w = self.world
        if w.daemon.die():
            self.tally.add("random", "kill -9", w.daemon.rows().values())

    def kill(self, fault, *cancels):
        """SIGKILL at the Nth call."""
        w, number = self.world, self._number(fault)
        before = self.rng.random() < 0.3 and not self.sweep
        if before:
            self._submit()
        w.daemon.launch((fault.call,), [f"{fault.call}:signal=KILL:when={number}"])
        if fault.call in faults.REPLACING:
            w.pause_one()
        if not before:
            self._submit()
        for cancel in cancels:
            self._run_for(self.rng.random())
            if w.cancel_one(cancel.call == "here"):
                self.tally.add("cancel", cancel.call, [])
        end = w.wait_end(SLOW)
        if end == "dead" and w.daemon.process.returncode == -9:
            text = w.daemon.trace.read_text(errors="replace")
            states = list(w.daemon.rows().values())
            self.tally.add("kill", fault.call, states)
            for place in self._places(text, fault.call, False):
                self.tally.cells["kill", fault.call, "@" + place] += 1
        elif end == "dead":
            self._check_death([])
        else:
            self.tally.missed += 1
            self._die()

    def _check_death(self, errors):
        """It ended by itself."""
        code = self.world.daemon.process.returncode
        places = {place for _, found in errors for place in found}
        if code == -6 and ("other" in places or any(f.error == "ENOMEM" for f, _ in errors)):
            return  # libuv cannot wake itself, or there is no memory: as good as kill -9
        if code in (0, 1) and errors:
            return  # it said why it could not start
        raise AssertionError(f"the daemon ended with {code}\n{self.world.daemon.process.tail(30)}")

    def _is_deaf(self, some):
        """Whether libuv's own pipes were struck, by which it hears of signals and ended work."""
        text = self.world.daemon.trace.read_text(errors="replace")
        return any("other" in self._places(text, fault.call, True) for fault in some)

    def _stop(self, some):
        """As systemctl stop, with calls failing."""
        w = self.world
        try:
            code = w.stop()
        except Timeout:
            if not self._is_deaf(some):
                raise
            self._die()
            return
        assert code in (0, -15) or self._is_deaf(some), \
            f"exit {code} after errors\n{w.daemon.process.tail(30)}"

    def error(self, some):
        """Calls fail."""
        w = self.world
        rules = []
        for fault in some:
            number = self._number(fault)
            when = f"{number}..{number + fault.burst - 1}" if fault.burst > 1 else number
            rules.append(f"{fault.call}:error={fault.error}:when={when}")
        w.daemon.launch(sorted({fault.call for fault in some}), rules)
        if any(fault.call in faults.REPLACING for fault in some):
            w.pause_one()
        self._submit()
        end = w.wait_end(SLOW)
        if end != "dead" and self.rng.random() < 0.3 and not self._is_deaf(some):
            self._stop(some)
        text = w.daemon.trace.read_text(errors="replace")
        struck = [(fault, self._places(text, fault.call, True)) for fault in some]
        for fault, places in struck:
            if places:
                self.tally.add("error", f"{fault.call} {fault.error}",
                               ["@" + place for place in places])
            else:
                self.tally.missed += 1
        if end == "dead":
            self._check_death(struck)
        elif w.daemon.process.returncode is None:
            self._die()

    def _run_for(self, where):
        """Lets the daemon work until the cloud has heard so many words more."""
        w = self.world
        lines = w.record.lines + int(where * 60)
        try:
            wait_until(lambda: w.record.read() is not None and w.record.lines >= lines, "words",
                       where, [w.cloud.record], [w.daemon.process], look_again=0.02)
        except Timeout:
            pass

    def random(self, fault):
        """kill -9 under load."""
        w = self.world
        if w.daemon.process.returncode is not None:
            w.daemon.launch()
        w.submit_some(self.rng.randint(2, 8))
        self._run_for(fault.where)
        self._die()

    def cups(self, fault):
        """cupsd dies and comes back, with the daemon or without."""
        w = self.world
        if w.daemon.process.returncode is not None:
            w.daemon.launch()
        w.submit_some(self.rng.randint(2, 5))
        self._run_for(fault.where)
        states = w.daemon.rows().values()
        if self.rng.random() < 0.4:
            self._die()
        w.break_cups(gently=fault.call == "restarted")
        self.tally.add("cups", fault.call, states)

    def printer(self, fault):
        """Printers fail what they get, or break the connection in the middle of it."""
        w = self.world
        if w.daemon.process.returncode is not None:
            w.daemon.launch()
        w.printers_behave(well=False)
        w.submit_some(self.rng.randint(2, 5))
        self._run_for(1 + fault.where)
        self.tally.add("printer", fault.call, w.daemon.rows().values())
        if self.rng.random() < 0.4:
            self._die()

    def cloud(self, fault):
        """The cloud is restarted, with its memory or without, or loses some of it."""
        w = self.world
        if w.daemon.process.returncode is not None:
            w.daemon.launch()
        w.submit_some(self.rng.randint(1, 4))
        self._run_for(fault.where)
        states = w.daemon.rows().values()
        if fault.call == "killed":
            w.cloud.process.kill()
            w.record.forget()
            w.cloud.start()
        elif fault.call == "restarted":
            w.cloud.away()
            self._run_for(fault.where)
            w.cloud.away(False)
        elif fault.call == "forgets jobs":
            w.cloud.forget("all", renumber=1)
            w.record.forget()
        else:
            w.cloud_forgets_devices()
        self.tally.add("cloud", fault.call, states)

    def cut(self, some):
        """The cloud's answers end early."""
        w = self.world
        w.cloud.clear_faults()
        numbers = {}
        for fault in some:
            size = fault.bytes if fault.bytes is None or fault.bytes >= 0 else \
                len(world_module.pdf.make(1, text=f"job {w.serial + 1}")) - 1
            options = {"bytes": size} if size is not None else {}
            if fault.error == "http-status":
                options["http"] = 503
            if fault.error == "never":
                options["ms"] = HANGS
            numbers[w.cloud.fault(fault.error, operation=fault.call, skip=int(fault.where * 3),
                                  count=1, reset=int(fault.where * 10) % 2, **options)] = fault
        if self.sweep and w.daemon.process.returncode is None:
            self._die()  # connections and subscriptions are made anew
        if w.daemon.process.returncode is not None:
            w.daemon.launch()
        if self.sweep:
            self._submit()
        else:
            w.submit_some(self.rng.randint(2, 4))
        end = w.wait_end(SLOW)
        for rule in w.cloud.faults()["faults"]:
            fault = numbers.get(rule["id"])
            if fault and rule["hits"]:
                self.tally.add("cut", fault.call, [fault.error if fault.bytes is None else
                                                   f"{fault.error}:{fault.bytes}"])
            elif fault:
                self.tally.missed += 1
        w.cloud.clear_faults()
        if end == "dead":
            self._check_death([])

    def link(self, some):
        """Links between the daemon and its queues are cut, or one is gone for a while."""
        w = self.world
        if (self.sweep or self.rng.random() < 0.5) and w.daemon.process.returncode is None:
            self._die()  # what was open is looked for at the queue
        if w.daemon.process.returncode is not None:
            w.daemon.launch()
        cuts = [(fault, w.cut_link(fault)) for fault in some if fault.error != "all"]
        if self.sweep:
            self._submit()
        else:
            w.submit_some(self.rng.randint(2, 4))
        if any("Cancel-Job" in fault.call for fault in some) or self.rng.random() < 0.1:
            self._run_for(self.rng.random() / 4)
            if w.cancel_one(self.rng.random() < 0.5):
                self.tally.add("cancel", "around a cut", [])
        for fault in some:
            if fault.error == "all":
                self._interrupt(fault)
        if not self.sweep and self.rng.random() < 0.3:
            self._wait_for_hit([cut for _, cut in cuts])
            self._die()
        elif w.wait_end(SLOW) == "dead":
            self._check_death([])
        w.links.clear()
        for fault, cut in cuts:
            if cut.is_hit:
                self.tally.add("link", fault.call, [*(cut.states or ["-"]), "@" + fault.error])
            else:
                self.tally.missed += 1

    def _interrupt(self, fault):
        """Nothing passes for up to a second."""
        w = self.world
        self._run_for(fault.where)
        self.tally.add("link", f"{fault.call}: all of it", w.states())
        link = w.link(fault.call)
        w.links.down(link)
        self._run_for(fault.where)
        w.links.up(link)

    def _wait_for_hit(self, cuts):
        try:
            wait_until(lambda: not cuts or any(cut.is_hit for cut in cuts), "a cut", SLOW,
                       [self.world.cloud.record], [self.world.daemon.process], look_again=0.02)
        except Timeout:
            pass

    # ---- lives and judgements ----------------------------------------------------------------

    def live(self, some):
        """One life."""
        self.history.append(" + ".join(map(str, some)))
        kind = some[0].kind
        if kind in ("kill", "error") and self.world.daemon.process.returncode is None:
            self._die()
        missed = self.tally.missed
        if kind in ("error", "cut", "link"):
            getattr(self, kind)(some)
        else:
            getattr(self, kind)(*some)
        if self.sweep:
            self.sweep.came(self.tally.missed == missed)

    def _submit(self):
        """Jobs of one life: in a sweep always the same, so that its calls are."""
        if self.sweep:
            for name in ("r0", "i0"):
                self.world.submit(name)
        else:
            self.world.submit_some(self.rng.randint(1, 3))

    def judge(self):
        """What the ledgers say."""
        breaches, held = self.world.judge()
        self.tally.jobs["held"] += held
        return breaches

    def close(self):
        """Counts what became of all jobs."""
        self.tally.jobs["brought back by cupsd"] += self.world.left
        for job in self.world.record.jobs.values():
            state = job.finals[-1][0] if job.finals else 0
            self.tally.jobs["all"] += 1
            if world_module.ledger.is_silent(job, self.world.paper):
                self.tally.jobs["twice by cupsd, whose word had been told"] += 1
            elif self.world.paper.whole.get(job.name, 0) > 1:
                self.tally.jobs["twice by cupsd, and told so"] += 1
            elif any(world_module.ledger.says_twice(word) for _, word, _ in job.finals):
                self.tally.jobs["once, and told that maybe twice"] += 1
            self.tally.jobs[world_module.ledger.FINAL.get(state, "no word")] += 1
            if state == 8:
                self.tally.jobs["aborted: " + re.sub(r"\d+", "N", job.finals[-1][1])[:90]] += 1


def _keep(folder, seed):
    """A copy of the logs of a bed that failed."""
    target = BUILD / f"crash-{seed}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in folder.rglob("*"):
        if path.suffix in (".log", ".jsonl", ".db", ".db-wal") or path.name in (
                "error_log", "access_log", "trace"):
            shutil.copy(path, target / "-".join(path.relative_to(folder).parts))
    return target


def one_bed(bus, seed, limit, sweep=None, only=""):
    """A bed until it had so many faults, or the first breach; with sweep, (part, parts), until
    every call of every kind was struck once. (tally, breaches)"""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))
    folder.chmod(0o755)
    worker = Worker(folder, bus, seed)
    breaches = []
    try:
        with worker.world:
            try:
                worker.calibrate()
                lives = (some for some in faults.lives(worker.rng)
                         if only in ("", some[0].kind) or worker.rng.random() < OTHERS)
                if sweep:
                    lives = worker.sweep = faults.Sweep(worker.counts, worker.before, *sweep)
                ended = False
                while not ended and not breaches and worker.tally.total < limit:
                    worker.history = []
                    for _ in range(CHAIN):
                        some = next(lives, None)
                        ended = some is None
                        if not ended:
                            worker.live(some)
                    breaches = worker.judge()
            except Exception as broken:  # of whatever kind: the next bed may be well
                breaches = [f"{type(broken).__name__}: {broken}",
                            *traceback.format_tb(broken.__traceback__)[-3:]]
            worker.close()
            if breaches:
                breaches = [f"bed {seed}, after: " + "; ".join(worker.history), *breaches,
                            f"logs in {_keep(folder, seed)}"]
    finally:
        for one in [p for p in process.Process.running.values() if not p.shared]:
            one.kill()
        process.reap_orphans()
        if "KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)
    return worker.tally, breaches


def _end(*_):
    """SIGTERM: what was begun is taken down, once."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    raise SystemExit(1)


def work(tasks, results):
    """A process that takes seeds of beds until there are no more."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, lambda *_: None)  # the main program says when it is over
    process.die_with_parent(signal.SIGTERM)
    process.become_subreaper()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))
    folder.chmod(0o755)
    bus = Bus(folder)
    try:
        while True:
            task = tasks.get()
            if task is None:
                return
            try:
                results.put((*one_bed(bus, *task), task))
            except Exception:
                results.put((Tally(), [f"bed {task[0]}: " + traceback.format_exc()], task))
    finally:
        bus.close()
        shutil.rmtree(folder, ignore_errors=True)


def table(tally):
    """By call and state."""
    for kind, title in (("kill", "kill -9 before the Nth"), ("error", "the Nth fails"),
                        ("cut", "answers of the cloud that end early"), ("random", "at random"),
                        ("link", "links to queues that are cut in"), ("cups", "cupsd"),
                        ("cloud", "the cloud"), ("printer", "printers"),
                        ("cancel", "canceled")):
        rows = sorted(row for one, row in tally.faults if one == kind)
        columns = sorted({column for one, _, column in tally.cells if one == kind},
                         key=lambda column: (STATES.index(column) if column in STATES else 99,
                                             column))
        if not rows:
            continue
        print(f"\n{title:33} {'faults':>7} " + " ".join(f"{c:>{max(6, len(c))}}" for c in columns))
        for row in rows:
            print(f"  {row:31} {tally.faults[kind, row]:7} " + " ".join(
                f"{tally.cells[kind, row, c] or '':>{max(6, len(c))}}" for c in columns))


def simulate(seed, lives):
    """Lives in virtual time, on all processors; how many, and faults in them."""
    parts = min(os.cpu_count(), lives)
    if not parts:
        return 0, 0, []
    running, ended = [], [0, 0, []]
    for n in range(parts):  # one seed is at least one life
        env = {**os.environ, "CONNECTOR_SEED": str(seed + n * lives),
               "CONNECTOR_LIVES": str(-(-lives // parts))}
        running.append(subprocess.Popen([BUILD / "tests/unit/test_simulation"], env=env, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        preexec_fn=process.die_with_parent))
    for one in running:
        last = collections.deque(one.stdout, 60)
        found = re.search(r"(\d+) lives, (\d+) faults", "".join(last))
        if one.wait() or not found:
            ended[2].append(f"simulation: exit {one.returncode}\n" + "".join(last))
        else:
            ended[0] += int(found[1])
            ended[1] += int(found[2])
    return tuple(ended)


def main():
    """Exit status."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--faults", type=int, default=1000, help="on the real daemon")
    words.add_argument("--lives", type=int, default=20000, help="in the simulation")
    words.add_argument("--workers", type=int, default=4 * os.cpu_count(),
                       help="beds at the same time; most of a life is waiting")
    words.add_argument("--sweeps", type=int, default=0, help="so often every call of every kind is"
                       " struck, at N = 1, 2, 3 ... until there are no more")
    words.add_argument("--only", default="", help="faults nearly all of one kind: kill, error, cut,"
                       " link, random, cups, cloud, printer")
    words.add_argument("--bed", type=int, help="the seed of one bed, to see it again")
    options = words.parse_args()
    seed = int(os.environ.get("CONNECTOR_SEED", time.time()))
    print(f"CONNECTOR_SEED={seed}", flush=True)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    signal.signal(signal.SIGTERM, _end)
    begun = time.monotonic()
    seeds = random.Random(seed)
    total, breaches = Tally(), []
    tasks, results = multiprocessing.Queue(), multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(tasks, results))
               for _ in range(options.workers)]
    beds = [options.bed] if options.bed else [seeds.randrange(1 << 31) for _ in range(
        max(options.workers, -(-options.faults // BED_FAULTS)))]
    share = -(-options.faults // len(beds))
    plan = [(bed, share, None, options.only) for bed in beds if share]
    plan += [(seeds.randrange(1 << 31), 1 << 30, (part, options.workers))
             for _ in range(options.sweeps) for part in range(options.workers)]
    for task in plan:
        tasks.put(task)
    for worker in workers:
        tasks.put(None)
        worker.start()
    left = len(plan)
    try:
        while left:
            try:
                tally, found, _ = results.get(timeout=2)
            except queue.Empty:
                if not any(worker.is_alive() for worker in workers):
                    breaches.append("a worker ended early")
                    break
                continue
            left -= 1
            total.merge(tally)
            breaches += found
            print(f"{time.monotonic() - begun:5.0f} s: {total.total} faults"
                  f"{', ' + str(len(found)) + ' breaches' if found else ''}", flush=True)
            for line in found:
                print("  " + line, flush=True)
    finally:
        for worker in workers:
            if left:
                worker.terminate()
        for worker in workers:
            worker.join()
    real = time.monotonic() - begun
    lives, simulated, found = simulate(seed, options.lives)
    took = time.monotonic() - begun - real
    breaches += found
    undone, jobs = total.jobs["held"] + total.jobs["aborted"], total.jobs["all"]
    if undone > jobs * UNDONE_MOST and not options.only:  # the promise is not kept by giving up
        breaches.append(f"{undone} of {jobs} jobs were held or aborted")
    table(total)
    print("\njobs: " + ", ".join(f"{n} {what}" for what, n in sorted(
        total.jobs.items()) if not what.startswith("aborted: ")))
    for what, n in total.jobs.most_common():
        if what.startswith("aborted: "):
            print(f"  {n} {what}")
    print(f"{total.total} faults on the real daemon in {real:.0f} s"
          f" ({total.missed} more were never reached), {simulated} in {lives} simulated lives"
          f" ({lives / max(took, 0.001):.0f} a second), {time.monotonic() - begun:.0f} s in all")
    for line in breaches:
        print(line)
    print(f"CONNECTOR_SEED={seed}: " + (f"{len(breaches)} breaches" if breaches else "all is well"))
    return 1 if breaches else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

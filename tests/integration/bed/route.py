"""A queue that is registered as a printer of the cloud: the way of a job from one to the other."""

import os
import time

from .watch import wait_until


class Route:
    """printer: its name in the cloud. Numbers of jobs are the cloud's."""

    def __init__(self, bed, daemon, queue, printer="q", cloud=None):
        self.bed = bed
        self.cloud = cloud or bed.cloud
        self.daemon = daemon
        self.queue = queue
        self.printer = printer

    def submit(self, document, **options):
        """A job, as fast as can be."""
        return self.cloud.submit(document, self.printer, **options)

    def submit_to_cups(self, document):
        """A job that is being printed by CUPS now: its number, and the connector's record."""
        number = self.submit(document)
        job = self.wait_record(number, "printing")
        self.bed.cups.wait_job(job["local_job"], ["processing"])
        return number, job

    def submit_to_eve(self, eve, document):
        """A job that has arrived at the IPP printer, which prints it now: as above."""
        number = self.submit(document)
        job = self.wait_record(number, "printing")
        eve.wait(1, "arrived")
        return number, job

    def submit_timed(self, document):
        """A job; since when the connector can know of it."""
        since = time.monotonic()
        self.submit(document)
        return since

    def cancel(self, number):
        """As its owner does in the cloud."""
        self.cloud.cancel(number, self.printer)

    def told(self, number):
        """The job as the cloud knows it."""
        return self.cloud.job(number, self.printer)

    def record(self, number):
        """The job as the connector knows it; None before it is claimed."""
        return next((job for job in self.daemon.jobs("--all")
                     if job["queue"] == self.queue and job["cloud_job"] == number), None)

    def wait_record(self, number, *states, timeout=30):
        """The connector's job, when it is in one of the states (in any, when none is named)."""
        def look():
            job = self.record(number)
            return job if job and (not states or job["state"] in states) else None
        return self.daemon.wait(look, f"job {number} of {self.queue} {'/'.join(states)}", timeout)

    def wait_attempts(self, number, count, timeout=60):
        """So many tries of the job were begun."""
        return self.daemon.wait(lambda: self.record(number)["attempts"] >= count,
                                f"try {count} of job {number}", timeout)

    def ended(self, number, outcome="completed", timeout=60):
        """Waits for the end on both sides, which must be this one; (cloud's job, connector's)."""
        told = self.cloud.wait_job(number, self.printer, timeout=timeout)
        assert told["state_name"] == outcome, told
        job = self.wait_record(number, "done", timeout=timeout)
        assert job["outcome"] == outcome, job
        return told, job

    def events(self, number):
        """Texts of the job's time-line."""
        return [event["text"] for event in self.daemon.job(self.record(number)["id"])["events"]]

    def attributes(self):
        """What the cloud was told of the queue."""
        devices = self.cloud.printer(self.printer)["devices"]
        return devices[0]["attributes"] if devices else {}

    def wait_attributes(self, fits, what, timeout=30):
        """The attributes, when fits(attributes)."""
        def look():
            attributes = self.attributes()
            return attributes if fits(attributes) else None
        return wait_until(look, what, timeout, [self.cloud.record], [self.daemon.process])

    def wait_reason(self, text, timeout=30):
        """The cloud shows this among printer-state-reasons."""
        return self.wait_attributes(lambda a: text in a.get("printer-state-reasons", ""),
                                    f"{text} at the cloud", timeout)

    def wait_job_reason(self, number, reason, timeout=30):
        """The word with which the connector told the cloud this of a job."""
        def look():
            job = next(j for j in self.cloud.jobs(self.printer, told=1) if j["id"] == number)
            return next((word for word in job["told"] if reason in (word["reasons"] or "")), None)
        return wait_until(look, f"{reason} of job {number}", timeout, [self.cloud.record],
                          [self.daemon.process])

    def wait_online(self, timeout=30):
        """The connector serves it and the cloud knows."""
        self.daemon.wait_printer(self.queue, timeout=timeout)
        self.cloud.wait_device(self.printer, timeout=timeout)
        return self


def connect(bed, daemon, queue, printer="q", *options, cloud="test", tls=False):
    """Registers a queue and waits until both sides serve it."""
    daemon.register(queue, bed.cloud.uri(printer, tls), *options, cloud=cloud)
    return Route(bed, daemon, queue, printer).wait_online()


def requests_before_document(route, document):
    """How many requests a job costs from the moment at which the connector hears of it to the last
    byte of its document; questions for news and what is told of the printer are not the job's."""
    others = {"Get-Notifications", "Update-Output-Device-Attributes", "Update-Active-Jobs",
              "Create-Printer-Subscriptions", "Renew-Subscription"}

    def count():
        return sum(number for name, number in route.cloud.counters(route.printer).items()
                   if name not in others)
    route.ended(route.submit(document))  # the first one may have to find out more
    last = [0, 0]

    def settled():
        if count() != last[0]:
            last[:] = count(), time.monotonic()
        return time.monotonic() - last[1] > 3
    wait_until(settled, "no more about the first job", 30, [route.cloud.record], look_again=0.5)
    rule = route.cloud.fault("stall-document", operation="Fetch-Document", printer=route.printer,
                             bytes=100, ms=3000)
    fetched = route.cloud.counters(route.printer)["Fetch-Document"]
    before = count()
    number = route.submit(document)
    route.cloud.wait(operation="Fetch-Document", printer=route.printer, count=fetched + 1)
    found = count() - before
    route.ended(number)
    route.cloud.clear_faults(rule)
    return found


def rounds_before_document(route, printer, document, slow_ms=1000):
    """How many requests one after the other lie between the moment at which the connector can hear
    of a job and the last byte of its document at the printer: by how much longer it takes when the
    cloud needs so long for each answer."""
    cloud = route.cloud
    arrived = len(printer.ledger("arrived"))

    def took():
        nonlocal arrived
        since = route.submit_timed(document)
        arrived += 1
        printer.wait(arrived, "arrived")
        return time.monotonic() - since
    route.ended(route.submit(document))  # the first one may have to find out more
    arrived += 1
    quick = took()
    rules = [cloud.fault("none", operation=operation, ms=slow_ms, count=-1) for operation in (
        "Get-Jobs", "Fetch-Job", "Acknowledge-Job", "Fetch-Document", "Update-Job-Status",
        "Acknowledge-Document", "Update-Output-Device-Attributes", "Get-Job-Attributes",
        "Create-Printer-Subscriptions")]
    slow = took()
    for rule in rules:
        cloud.clear_faults(rule)
    return round(1000 * (slow - quick) / slow_ms)


def health(daemon, code):
    """The health entries of one kind."""
    return [entry for entry in daemon.verb("status", codes=(0, 4))["health"]
            if entry["code"] == code]


def wait_health(daemon, code, timeout=30):
    """The first health entry of that kind, when there is one."""
    return daemon.wait(lambda: next(iter(health(daemon, code)), None), f"health {code}", timeout)


def cpu_seconds(daemon):
    """Processor time of the daemon since it was started."""
    with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

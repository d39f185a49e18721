"""Waiting without sleeping: look again whenever a watched file changes or a process ends."""

import ctypes
import os
import select
import time

LOOK_AGAIN = 0.25  # seconds; for what can change without a file being written
EVENTS = 0x2 | 0x4 | 0x8 | 0x80 | 0x100 | 0x200  # modify attrib close-write moved-to create delete

_libc = ctypes.CDLL(None, use_errno=True)


class Timeout(AssertionError):
    """What was waited for did not happen in time, or no longer can."""


def _inotify(paths):
    fd = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    for path in {str(p if os.path.isdir(p) else os.path.dirname(p)) for p in paths}:
        if _libc.inotify_add_watch(fd, path.encode(), EVENTS) < 0:
            code = ctypes.get_errno()
            os.close(fd)
            raise OSError(code, os.strerror(code), path)
    return fd


def wait_until(check, what, timeout=10, paths=(), processes=(), look_again=LOOK_AGAIN):
    """Returns the first true result of check(), which runs at once, whenever one of the paths (a
    file, or anything in a folder) changes, and every look_again seconds. Raises Timeout at the
    deadline, and at once when one of the processes has ended and check() still says no."""
    deadline = time.monotonic() + timeout
    notify = _inotify(paths)
    over = [p for p in processes if p.returncode is not None]
    ends = {os.pidfd_open(p.pid): p for p in processes if p not in over}
    poll = select.poll()
    try:
        for fd in (notify, *ends):
            poll.register(fd, select.POLLIN)
        while True:
            ended = over + [p for fd, p in ends.items() if _readable(fd)]
            result = check()
            if result:
                return result
            if ended:
                raise Timeout(f"{ended[0].name} ended before {what}\n{ended[0].tail()}")
            left = deadline - time.monotonic()
            if left <= 0:
                tails = "".join("\n" + p.tail() for p in processes)
                raise Timeout(f"no {what} after {timeout} s{tails}")
            poll.poll(min(left, look_again) * 1000)
            _drain(notify)
    finally:
        for fd in (notify, *ends):
            os.close(fd)


def _readable(fd):
    return bool(select.select([fd], [], [], 0)[0])


def _drain(fd):
    try:
        while os.read(fd, 65536):
            pass
    except BlockingIOError:
        pass


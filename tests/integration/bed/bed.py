"""Everything that one test needs, made on demand and taken down in the opposite order."""

import contextlib
import pathlib

from socket_printer import SocketPrinter

from .cupsd import Cupsd
from .daemon import Daemon
from .emulator import Emulator
from .ippeve import IppPrinter
from .up import UpEmulator


class Bed:
    """Context manager. Each method starts one thing that lives to the end of the test; what is
    named "the" one (cups, cloud) is made once and found again."""

    def __init__(self, folder, bus):
        self.dir = pathlib.Path(folder)
        self._bus = bus
        self._stack = contextlib.ExitStack()
        self._cups = None
        self._cloud = None

    def __enter__(self):
        self._stack.__enter__()
        return self

    def __exit__(self, *exc):
        return self._stack.__exit__(*exc)

    @property
    def cups(self):
        """The cupsd."""
        if not self._cups:
            self._cups = self._stack.enter_context(Cupsd(self.dir / "cups"))
        return self._cups

    def start_cups(self, **options):
        """The cupsd with options of its own."""
        assert not self._cups
        self._cups = self._stack.enter_context(Cupsd(self.dir / "cups", **options))
        return self._cups

    @property
    def cloud(self):
        """The emulator; with one printer, q, unless start_cloud() said otherwise."""
        return self._cloud or self.start_cloud()

    def start_cloud(self, *printers, **options):
        """The emulator with these printers."""
        assert not self._cloud
        self._cloud = self._stack.enter_context(
            Emulator(self.dir / "cloud", printers or ("q",), **options))
        return self._cloud

    def start_up(self, name="up", **options):
        """An emulator of Universal Print; up={setting: value}."""
        return self._stack.enter_context(UpEmulator(self.dir / name, **options))

    def up_daemon(self, *emulators, name="daemon", clouds=None, **options):
        """The daemon, ready, with Universal Print as clouds up, up2 and so on."""
        clouds = {**(clouds or {}), **{f"up{n or ''}": emulator.cloud() for n, emulator in
                                       zip((0, *range(2, 9)), emulators)}}
        daemon = self.make_daemon(name, clouds=clouds, **options)
        daemon.start()
        for emulator in emulators:
            emulator.watch(daemon)
        return daemon

    def ipp_printer(self, name="eve", **options):
        """An IPP printer."""
        return self._stack.enter_context(IppPrinter(self.dir / name, self._bus, name, **options))

    def socket_printer(self, name="socket", mode="ok"):
        """A socket printer."""
        printer = SocketPrinter(self.dir / name, mode).start()
        self._stack.callback(printer.close)
        return printer

    def enter(self, manager):
        """Anything else that ends with the test."""
        return self._stack.enter_context(manager)

    def make_daemon(self, name="daemon", clouds=None, with_cups=True, **options):
        """The daemon, not started: at the cloud over plain HTTP unless clouds says otherwise."""
        clouds = clouds or {"test": {"uri": self.cloud.base()}}
        daemon = Daemon(self.dir / name, clouds, self.cups if with_cups else None, **options)
        self._stack.push(daemon.__exit__)
        return daemon

    def daemon(self, name="daemon", **options):
        """The daemon, ready."""
        daemon = self.make_daemon(name, **options)
        daemon.start()
        if self._cloud:
            self._cloud.watch(daemon)
        return daemon

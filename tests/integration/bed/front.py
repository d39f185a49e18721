"""nghttpx in front of hosts of the emulator: the same hosts with HTTP/2 offered, as the real
service offers it."""

import shutil

from .net import Port
from .process import Process


class Front:
    """Context manager; url: in place of the emulator's own of that name. Told each request in
    nghttpx' log: the protocol that was spoken, the path and the status."""

    def __init__(self, folder, emulator, name):
        self.dir = folder
        self.log = folder / f"{name}.requests"
        self._behind = emulator.up[name].rsplit(":", 1)[1]
        self._tls = emulator.dir / "tls"
        self._name = name
        self._port = Port()
        self.url = f"https://localhost:{self._port}"
        self.process = None

    def __enter__(self):
        self.process = Process("nghttpx", [
            shutil.which("nghttpx", path="/usr/sbin:/usr/bin:/sbin:/bin"), "--conf=/dev/null",
            f"--frontend=127.0.0.1,{self._port}",
            f"--backend=127.0.0.1,{self._behind};;tls;sni=localhost",
            f"--cacert={self._tls / 'ca.pem'}", "--workers=1", "--no-ocsp",
            "--backend-connections-per-host=100", f"--accesslog-file={self.log}",
            "--accesslog-format=$alpn $path $status", self._tls / "server-key.pem",
            self._tls / "server.pem"], self.dir / f"{self._name}-front.log")
        self.process.wait_for_line("Listening on", 20)
        return self

    def __exit__(self, *exc):
        self.process.stop()
        self._port.close()

    def requests(self):
        """[(protocol, path, status)] so far."""
        return [tuple(line.split()) for line in self.log.read_text().splitlines()]

"""A stand-in for the daemon's end of the control socket: answers Varlink calls from a table."""

import json
import os
import socket
import threading

INTERFACE = "org.printconnector.Connector."


class FakeControl:
    """Listens at path until it is closed. answers: method name -> reply, list of replies (the last
    one ends the call, None hangs up), an Error, or a function of the parameters that returns one of
    these; bytes are sent as they are. A threading.Event in a list is waited for before the next
    reply."""

    def __init__(self, path, answers):
        self.path = str(path)
        self.answers = answers
        self.calls = []  # (method, parameters, more)
        self.hung_up = threading.Event()  # a peer has gone
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def close(self):
        """No more connections; the socket's file goes."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.listener.close()
        os.unlink(self.path)

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                self._serve(peer)
                self.hung_up.set()

    def _serve(self, peer):
        data = b""
        while True:
            while b"\0" in data:
                message, data = data.split(b"\0", 1)
                if not self._answer(peer, json.loads(message)):
                    return
            try:
                more = peer.recv(65536)
            except OSError:
                return
            if not more:
                return
            data += more

    def _answer(self, peer, call):
        method = call["method"].removeprefix(INTERFACE)
        self.calls.append((method, call["parameters"], call.get("more", False)))
        answer = self.answers[method]
        if callable(answer):
            answer = answer(call["parameters"])
        if answer is None:
            return False
        if isinstance(answer, bytes):
            peer.sendall(answer)
            return True
        replies = answer if isinstance(answer, list) else [answer]
        for i, reply in enumerate(replies):
            if isinstance(reply, threading.Event):
                reply.wait(10)
                continue
            if reply is None:
                return False
            message = reply if isinstance(reply, Error) else {"parameters": reply}
            if i + 1 < len(replies):
                message["continues"] = True
            try:
                peer.sendall(json.dumps(message).encode() + b"\0")
            except OSError:
                return False
        return True


class Error(dict):
    """An error of the interface, or with dots one of another."""

    def __init__(self, name, **parameters):
        super().__init__(error=name if "." in name else INTERFACE + name, parameters=parameters)

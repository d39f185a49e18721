"""Universal Print's client side with the standard library and the openssl command: the second
reading of the documents that the emulator's services are tested with."""

import base64
import http.client
import json
import pathlib
import ssl
import subprocess
import urllib.parse
import uuid

from emulator_fixture import (CHARSET, ENUM, INTEGER, JOB, KEYWORD, LANGUAGE, OPERATION, PRINTER,
                              SUBSCRIPTION, TEXT, URI, Answer, Emulator, encode)

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
QUICK = ["--up", "code-interval=0", "--up", "register-interval=0"]


def start(directory, *arguments):
    """An emulator with Universal Print whose intervals are 0."""
    return Emulator(directory, "--universal-print", "--tls-directory",
                    str(pathlib.Path(directory) / "tls"), *QUICK, *arguments)


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True,
                          check=True).stdout


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Reply:
    """What a host that speaks JSON answered."""

    def __init__(self, answer):
        self.status = answer.status
        self.headers = answer.headers
        self.body = answer.read()

    @property
    def json(self):
        return json.loads(self.body)

    def __getitem__(self, key):
        return self.json[key]


class Up:
    """One who speaks to all hosts of one emulator."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.urls = emulator.values["up"]
        self.tenant = self.urls["tenant"]
        self.scope = self.urls["resource"] + "/Printers.Create"
        self.timeout = 20
        self.context = ssl.create_default_context(cafile=self.urls["ca"])

    def settings(self, **values):
        """Changes how the emulator behaves."""
        answer = self.emulator.admin("PUT", "/up/settings", **values)
        assert "error" not in answer, answer

    def request(self, method, url, body=None, headers=None):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPSConnection(parts.netloc, timeout=self.timeout,
                                                 context=self.context)
        path = parts.path + ("?" + parts.query if parts.query else "")
        connection.request(method, path, body, headers or {})
        reply = Reply(connection.getresponse())
        connection.close()
        return reply

    def form(self, path, **fields):
        url = path if path.startswith("https:") else self.urls["login"] + path
        return self.request("POST", url, urllib.parse.urlencode(fields),
                            {"Content-Type": "application/x-www-form-urlencoded"})

    def device_code(self, **fields):
        fields = {"client_id": self.urls["client_id"], "scope": self.scope, **fields}
        return self.form("/organizations/oauth2/v2.0/devicecode", **fields)

    def poll(self, code, **fields):
        fields = {"grant_type": DEVICE_GRANT, "client_id": self.urls["client_id"],
                  "device_code": code, **fields}
        return self.form("/organizations/oauth2/v2.0/token", **fields)

    def sign_in(self):
        code = self.device_code()
        assert code.status == 200, code.body
        assert "error" not in self.emulator.admin("POST", "/up/approve", code=code["user_code"])
        return self.poll(code["device_code"])["access_token"]

    def register(self, token, body):
        return self.request("POST", self.urls["registration"] + "/api/v1.0/register",
                            json.dumps(body), {"Authorization": "Bearer " + token,
                                               "Content-Type": "application/json"})

    def registered(self, token, registration):
        return self.request("GET", self.urls["registration"]
                            + "/api/v1.0/register?registration_id=" + registration,
                            headers={"Authorization": "Bearer " + token})

    def graph(self, method, path, body=None, token=None):
        headers = {"Authorization": "Bearer " + (token or self.urls["graph_token"])}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        return self.request(method, self.urls["graph"] + "/v1.0/print" + path, body, headers)


class Key:
    """A printer's key in a file, and what is made with it."""

    def __init__(self, directory, bits=2048):
        self.path = str(pathlib.Path(directory) / (uuid.uuid4().hex + ".pem"))
        openssl("genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt",
                "rsa_keygen_bits:%d" % bits, "-out", self.path)

    def request(self, digest="-sha256"):
        der = openssl("req", "-new", "-key", self.path, "-subj", "/CN=printer", digest,
                      "-outform", "DER")
        return base64.b64encode(der).decode()

    def public(self):
        return base64.b64encode(openssl("pkey", "-in", self.path, "-pubout", "-outform",
                                        "DER")).decode()

    def sign(self, data):
        return openssl("dgst", "-sha256", "-sign", self.path, data=data)


class Printer:
    """A printer of Universal Print: registers, gets tokens, speaks IPP."""

    def __init__(self, up, directory, name="office", device=None):
        self.up = up
        self.name = name
        self.device_id = device or str(uuid.uuid4())
        self.key = Key(directory)
        self.answer = None
        self.token = None
        self.subscription = None
        self.next = 1

    @property
    def id(self):
        return self.answer["cloud_device_id"]

    def body(self, **change):
        body = {"name": self.name, "manufacturer": "Acme", "model": "Laser 3000",
                "device_id": self.device_id, "device_type": "printer",
                "certificate_request": {"type": "pkcs10", "data": self.key.request(),
                                        "transport_key": self.key.public()}}
        body.update(change)
        return body

    def register(self, token=None):
        token = token or self.up.sign_in()
        begun = self.up.register(token, self.body())
        assert begun.status == 202, begun.body
        for _ in range(100):
            reply = self.up.registered(token, begun["registration_id"])
            if reply.status != 202:
                break
        assert reply.status == 200, reply.body
        self.answer = reply.json
        return self

    def nonce(self):
        reply = self.up.form(self.answer["device_token_url"], grant_type="srv_challenge",
                             windows_api_version="2.0")
        assert reply.headers["Content-Type"].startswith("text/html")
        return reply["Nonce"]

    def jwt(self, nonce, header=None, claims=None, key=None):
        pem = self.answer["certificate"].split("-----")[2]
        head = {"alg": "RS256", "typ": "JWT", "x5c": ["".join(pem.split())], **(header or {})}
        body = {"request_nonce": nonce, "grant_type": "device_token",
                "resource": self.answer["mcp_svc_resource_id"],
                "client_id": self.answer["printer_client_id"],
                "redirect_uri": self.answer["printer_redirect_uri"],
                "iss": self.id, **(claims or {})}
        text = ".".join(b64url(json.dumps(part).encode()) for part in (head, body))
        return text + "." + b64url((key or self.key).sign(text.encode()))

    def ask_token(self, jwt):
        return self.up.form(self.answer["device_token_url"], grant_type=JWT_GRANT, request=jwt)

    def get_token(self):
        reply = self.ask_token(self.jwt(self.nonce()))
        assert reply.status == 200, reply.body
        self.token = reply["access_token"]
        return self

    def head(self, host="print"):
        uri = "ipps://%s/printers/%s" % (self.up.urls[host].split("://")[1], self.id)
        return [(CHARSET, "attributes-charset", "utf-8"),
                (LANGUAGE, "attributes-natural-language", "en-us"), (URI, "printer-uri", uri),
                (URI, "output-device-uuid", "urn:uuid:" + self.id)]

    def post(self, message, host="print", path=None, token=None):
        return self.up.request("POST", self.up.urls[host] + (path or "/printers/" + self.id),
                               message, {"Content-Type": "application/ipp",
                                         "Authorization": "Bearer " + (token or self.token)})

    def tell(self, operation, attributes=(), groups=(), host="print"):
        message = encode(operation, [(OPERATION, self.head(host) + list(attributes))]
                         + list(groups))
        reply = self.post(message, host)
        assert reply.status == 200, "HTTP %d" % reply.status
        return Answer(reply.body)

    def update(self, *attributes, state=3):
        return self.tell("Update-Output-Device-Attributes", (), [
            (PRINTER, [(ENUM, "printer-state", state), (KEYWORD, "printer-state-reasons", "none"),
                       *attributes])])

    def subscribe(self, lease=0):
        answer = self.tell("Create-Printer-Subscriptions", (), [(SUBSCRIPTION, [
            (KEYWORD, "notify-pull-method", "ippget"),
            (KEYWORD, "notify-events", ["job-fetchable", "job-state-changed"]),
            (INTEGER, "notify-lease-duration", lease)])], "notification")
        self.subscription = answer.get("notify-subscription-id")
        return answer

    def events(self, first=1):
        return self.tell("Get-Notifications", [
            (INTEGER, "notify-subscription-ids", self.subscription),
            (INTEGER, "notify-sequence-numbers", first)], (), "notification")

    def online(self):
        self.get_token()
        assert self.update().status == 0
        assert self.subscribe().status == 0
        return self

    def fetchable(self):
        answer = self.tell("Get-Jobs", [(KEYWORD, "which-jobs", "fetchable"),
                                        (KEYWORD, "requested-attributes", "all")])
        assert answer.status == 0, hex(answer.status)
        return [job["job-id"][0] for job in answer.all(JOB)]

    def job(self, operation, job, attributes=(), groups=()):
        return self.tell(operation, [(INTEGER, "job-id", job)] + list(attributes), groups)

    def status(self, job, state, *more):
        return self.job("Update-Job-Status", job, (), [
            (JOB, [(ENUM, "output-device-job-state", state), *more])])

    def fetch(self, job):
        """Takes the job and gives its document."""
        assert self.job("Fetch-Job", job).status == 0
        assert self.job("Acknowledge-Job", job).status == 0
        assert self.status(job, 5).status == 0
        answer = self.job("Fetch-Document", job, [(INTEGER, "document-number", 1)])
        assert answer.status == 0, hex(answer.status)
        return answer.document

    def finish(self, job):
        assert self.job("Acknowledge-Document", job,
                        [(INTEGER, "document-number", 1)]).status == 0
        answer = self.status(job, 9, (INTEGER, "job-impressions-completed", 2),
                             (TEXT, "microsoft-output-device-job-state-message", "fine"))
        assert answer.status == 0, hex(answer.status)

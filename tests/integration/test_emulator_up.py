"""Universal Print in the cloud emulator: sign-in, registration, tokens, each to the letter, and
each breach recorded."""

import base64
import email.utils
import subprocess
import time

import pytest

from emulator_fixture import PROGRAM, Emulator
from up_client import Key, Printer, openssl, start


@pytest.fixture
def clean(up):
    """For tests in which nobody breaks a rule."""
    yield up
    assert up.emulator.rules() == []


def test_a_code_is_pending_until_it_is_approved(clean):
    code = clean.device_code()
    assert code["expires_in"] == 900 and code["interval"] == 0
    assert code["verification_uri"].endswith("/devicelogin") and len(code["user_code"]) == 9
    for _ in range(3):
        assert clean.poll(code["device_code"])["error"] == "authorization_pending"
    clean.emulator.admin("POST", "/up/approve", code=code["user_code"])
    token = clean.poll(code["device_code"])
    assert token.status == 200 and token["token_type"] == "Bearer" and token["expires_in"] == 3599


def test_a_declined_code_is_declined(clean):
    code = clean.device_code()
    clean.emulator.admin("POST", "/up/decline", code=code["user_code"])
    assert clean.poll(code["device_code"])["error"] == "authorization_declined"


def test_a_code_expires(clean):
    clean.settings(code_life=0)
    assert clean.poll(clean.device_code()["device_code"])["error"] == "expired_token"


def test_a_code_can_approve_itself(clean):
    clean.settings(approve_after=3)
    code = clean.device_code()["device_code"]
    assert [clean.poll(code).status for _ in range(3)] == [400, 400, 200]


def test_polling_too_fast_is_told_and_recorded(up):
    up.settings(code_interval=5)
    code = up.device_code()["device_code"]
    assert up.poll(code)["error"] == "authorization_pending"
    assert up.poll(code)["error"] == "slow_down"
    assert up.emulator.rules() == ["polled-early"]
    assert up.emulator.admin("GET", "/up/codes")["codes"][0]["interval"] == 10


def test_slow_down_comes_unprovoked_when_set(clean):
    clean.settings(slow_down=1)
    code = clean.device_code()["device_code"]
    assert clean.poll(code)["error"] == "slow_down"
    clean.settings(code_interval=0)
    assert clean.emulator.admin("GET", "/up/settings")["slow-down"] == 0


@pytest.mark.parametrize("fields, error", [
    ({"device_code": "x"}, "bad_verification_code"), ({"grant_type": "password"},
                                                      "unsupported_grant_type")])
def test_a_wrong_poll_is_refused_and_recorded(up, fields, error):
    reply = up.poll(up.device_code()["device_code"], **fields)
    assert reply.status == 400 and reply["error"] == error
    assert len(up.emulator.rules()) == 1


def test_an_unknown_client_and_scope_are_refused(clean):
    assert clean.device_code(client_id="x")["error"] == "unauthorized_client"
    assert clean.device_code(scope="https://other.example/.default")["error"] == "invalid_scope"
    clean.settings(public_client=0)
    reply = clean.poll(clean.device_code()["device_code"])
    assert reply.status == 401 and reply["error"] == "invalid_client"


def test_more_scopes_than_needed_are_recorded(up):
    assert up.device_code(scope=up.scope + " offline_access").status == 200
    assert up.emulator.rules() == ["scope"]


def test_consent_missing_is_said_as_entra_says_it(clean):
    clean.settings(consent=0, approve_after=1)
    reply = clean.poll(clean.device_code()["device_code"])
    assert reply["error"] == "interaction_required" and reply["error_codes"] == [65001]
    assert reply["error_description"].startswith("AADSTS65001:")


def test_a_code_is_good_for_one_token(up):
    up.settings(approve_after=1)
    code = up.device_code()["device_code"]
    assert up.poll(code).status == 200
    assert up.poll(code)["error"] == "invalid_grant"
    assert up.emulator.rules() == ["polled-after-end"]


def test_a_printer_is_registered_and_gets_a_token(clean, tmp_path):
    printer = Printer(clean, tmp_path).register().get_token()
    pem = printer.answer["certificate"].encode()
    assert openssl("x509", "-noout", "-pubkey", data=pem) == openssl("pkey", "-in",
                                                                     printer.key.path, "-pubout")
    assert printer.id in openssl("x509", "-noout", "-subject", data=pem).decode()
    listed = clean.emulator.admin("GET", "/up/printers")["printers"]
    assert [p["id"] for p in listed] == [printer.id] and listed[0]["name"] == "office"
    clean.emulator.wait(registered=1, operation="up-device-token")


def test_registration_is_polled_until_it_is_ready(clean, tmp_path):
    clean.settings(register_polls=-1)
    token = clean.sign_in()
    begun = clean.register(token, Printer(clean, tmp_path).body())
    for _ in range(5):
        reply = clean.registered(token, begun["registration_id"])
        assert reply.status == 202 and reply["interval"] == 0
    clean.settings(register_polls=0)
    assert clean.registered(token, begun["registration_id"]).status == 200


def test_the_same_device_gets_the_same_id_and_a_new_certificate(clean, tmp_path):
    printer = Printer(clean, tmp_path).register()
    old, first = printer.answer, printer.jwt(printer.nonce())
    printer.register()
    assert printer.id == old["cloud_device_id"]
    assert printer.answer["certificate"] != old["certificate"]
    assert printer.ask_token(first)["error"] == "invalid_grant"
    printer.get_token()


@pytest.mark.parametrize("change, rule", [
    ({"device_type": "connector"}, "key-value"), ({"name": ""}, "key-value"),
    ({"model": 3}, "key-type"), ({"certificate_request": {"type": "pkcs10"}}, "missing-key"),
    ({"extra": "x"}, "unknown-key")])
def test_a_body_that_is_not_as_documented_is_recorded(up, tmp_path, change, rule):
    reply = up.register(up.sign_in(), Printer(up, tmp_path).body(**change))
    assert reply.status == (202 if rule == "unknown-key" else 400)
    assert up.emulator.rules() == [rule]


def test_a_request_for_a_certificate_is_looked_at_closely(up, tmp_path):
    token, good, small = up.sign_in(), Printer(up, tmp_path), Key(tmp_path, 1024)
    request = good.body()["certificate_request"]
    broken = [{"data": request["data"][:60] + "\n" + request["data"][60:]},
              {"data": base64.b64encode(b"not DER").decode()},
              {"data": small.request(), "transport_key": small.public()},
              {"data": good.key.request("-sha512")},
              {"transport_key": Key(tmp_path).public()},
              {"transport_key": base64.b64encode(openssl(
                  "rsa", "-in", good.key.path, "-RSAPublicKey_out", "-outform",
                  "DER")).decode()}]
    for change in broken:
        reply = up.register(token, good.body(certificate_request={**request, **change}))
        assert reply.status == 400, change
    assert up.emulator.rules() == ["certificate-request"] * len(broken)


def test_registration_wants_a_living_token_of_a_user_with_the_role(up, tmp_path):
    printer = Printer(up, tmp_path).register()
    token = up.sign_in()
    up.settings(role=0)
    assert up.register(token, printer.body()).status == 403
    up.settings(role=1)
    up.emulator.admin("POST", "/up/revoke", kind="user")
    assert up.register(token, printer.body()).status == 401
    assert up.emulator.rules() == []
    assert up.register("nonsense", printer.body()).status == 401
    assert up.register(printer.get_token().token, printer.body()).status == 401
    assert up.emulator.rules() == ["unknown-token", "wrong-token"]


def test_registration_fails_as_it_is_told(clean, tmp_path):
    token, printer = clean.sign_in(), Printer(clean, tmp_path)
    for code in (401, 403, 409, 500, 503):
        clean.emulator.fault("http-status", operation="up-register", http=code)
        assert clean.register(token, printer.body()).status == code
    clean.emulator.fault("http-status", operation="up-register", http=429, retry_after=7)
    assert clean.register(token, printer.body()).headers["Retry-After"] == "7"
    clean.emulator.fault("redirect", operation="up-register", text="https://evil.example/")
    reply = clean.register(token, printer.body())
    assert reply.status == 307 and reply.headers["Location"] == "https://evil.example/"
    clean.emulator.fault("without", operation="up-register-poll", skip=1,
                         text="cloud_device_id")
    with pytest.raises(KeyError):
        assert printer.register(token).id
    clean.emulator.fault("other-key", operation="up-register-poll", skip=1)
    printer.register(token)
    assert openssl("x509", "-noout", "-pubkey", data=printer.answer["certificate"].encode()) \
        != openssl("pkey", "-in", printer.key.path, "-pubout")


def test_a_nonce_is_good_once_and_for_a_time(up, tmp_path):
    printer = Printer(up, tmp_path).register()
    nonce = printer.nonce()
    assert printer.ask_token(printer.jwt(nonce)).status == 200
    up.settings(nonce_life=-1)
    assert printer.ask_token(printer.jwt(printer.nonce())).status == 400
    assert up.emulator.rules() == []
    assert printer.ask_token(printer.jwt(nonce))["error"] == "invalid_grant"
    assert printer.ask_token(printer.jwt("nonsense")).status == 400
    assert up.emulator.rules() == ["nonce", "nonce"]


@pytest.mark.parametrize("header, claims, rule", [
    ({"alg": "none"}, {}, "jwt-header"), ({"typ": "jwt"}, {}, "jwt-header"),
    ({"kid": "x"}, {}, "jwt-header"), ({"x5c": ["AAAA"]}, {}, "jwt-certificate"),
    ({}, {"iss": "someone"}, "jwt-issuer"), ({}, {"resource": "x"}, "jwt-claims"),
    ({}, {"client_id": "x"}, "jwt-claims"), ({}, {"redirect_uri": "x"}, "jwt-claims"),
    ({}, {"grant_type": "x"}, "jwt-claims"), ({}, {"iat": 1}, "jwt-claims")])
def test_a_signed_request_is_verified(up, tmp_path, header, claims, rule):
    printer = Printer(up, tmp_path).register()
    reply = printer.ask_token(printer.jwt(printer.nonce(), header, claims))
    assert reply.status == 400 and reply["error"] == "invalid_grant"
    assert up.emulator.rules() == [rule]


def test_only_the_certificate_s_own_key_signs(up, tmp_path):
    printer = Printer(up, tmp_path).register()
    other = Printer(up, tmp_path, "other").register()
    assert printer.ask_token(printer.jwt(printer.nonce(), key=other.key)).status == 400
    assert other.ask_token(other.jwt(other.nonce(), claims={"iss": printer.id})).status == 400
    assert up.emulator.rules() == ["jwt-signature", "jwt-issuer"]


def test_x5c_as_a_string_is_taken_when_allowed_only(up, tmp_path):
    printer = Printer(up, tmp_path).register()
    text = {"x5c": "".join(printer.answer["certificate"].split("-----")[2].split())}
    assert printer.ask_token(printer.jwt(printer.nonce(), text)).status == 400
    up.settings(x5c_string=1)
    assert printer.ask_token(printer.jwt(printer.nonce(), text)).status == 200
    assert up.emulator.rules() == ["jwt-header"]


def test_login_fails_as_it_is_told(clean, tmp_path):
    printer = Printer(clean, tmp_path).register()
    clean.emulator.fault("oauth-error", operation="up-device-token", text="invalid_client")
    assert printer.ask_token(printer.jwt(printer.nonce()))["error"] == "invalid_client"
    clean.emulator.fault("html", operation="up-nonce")
    with pytest.raises(ValueError):
        printer.nonce()
    clean.emulator.fault("truncated", operation="up-device-code", bytes=20)
    assert len(clean.device_code().body) == 20
    clean.emulator.fault("cut-before", operation="up-token")
    with pytest.raises(OSError):
        clean.poll("x")


def test_the_clock_can_be_an_hour_off(clean, tmp_path):
    clean.settings(clock_skew=3600)
    printer = Printer(clean, tmp_path).register()
    date = email.utils.parsedate_to_datetime(clean.device_code().headers["Date"]).timestamp()
    assert 3500 < date - time.time() < 3700
    assert subprocess.run(["openssl", "x509", "-noout", "-checkend", str(365 * 86400)],
                          input=printer.answer["certificate"].encode(), check=False,
                          stdout=subprocess.DEVNULL).returncode == 0
    printer.get_token()


def test_a_host_can_be_down(clean):
    clean.emulator.admin("POST", "/up/down", host="login")
    with pytest.raises(OSError):
        clean.device_code()
    clean.emulator.admin("POST", "/up/down", host="login", down=0)
    assert clean.device_code().status == 200


def test_secrets_are_listed_for_those_who_look_for_them(clean, tmp_path):
    printer = Printer(clean, tmp_path).register().get_token()
    answer = clean.emulator.admin("GET", "/up/secrets")
    assert printer.token in [t["token"] for t in answer["tokens"]]
    assert len(answer["codes_and_nonces"]) == 2


def test_an_expired_certificate_gets_no_token(clean, tmp_path):
    clean.settings(certificate_days=0)
    printer = Printer(clean, tmp_path).register()
    clean.emulator.admin("GET", "/wait", registered=99, timeout=1.1)
    reply = printer.ask_token(printer.jwt(printer.nonce()))
    assert reply["error"] == "invalid_grant" and reply["error_codes"] == [700027]


def test_a_printer_deleted_by_the_admin_port_is_deleted_everywhere(clean, tmp_path):
    printer = Printer(clean, tmp_path).register().get_token()
    clean.emulator.admin("DELETE", "/printers", printer=printer.id)
    assert clean.emulator.admin("GET", "/up/printers")["printers"][0]["deleted"]
    assert printer.tell("Get-Jobs").status == 0x407


def test_the_old_hosts_go_without_universal_print(tmp_path):
    up = start(tmp_path)
    names = {"login", "registration", "print", "notification", "graph", "ca", "resource",
             "client_id", "tenant", "graph_token", "bad"}
    assert set(up.values["up"]) == names
    up.stop()
    plain = Emulator(tmp_path, "--printer", "p")
    assert "up" not in plain.values
    plain.stop()


def test_names_and_ports_can_be_given(tmp_path):
    first = start(tmp_path, "--up", "names=DNS:print.example.org,IP:127.0.0.1")
    shown = openssl("s_client", "-connect", first.values["up"]["print"].split("//")[1],
                    "-CAfile", first.values["up"]["ca"], "-verify_hostname",
                    "print.example.org").decode()
    assert "Verify return code: 0 " in shown
    first.stop()
    port = first.values["up"]["login"].rsplit(":", 1)[1]
    again = start(tmp_path, "--up", "login-port=" + port)
    assert again.values["up"]["login"] == first.values["up"]["login"]
    again.stop()


def test_the_page_for_codes_signs_in(clean):
    code = clean.device_code()
    page = clean.request("GET", code["verification_uri"])
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    assert b"<form>" in page.body
    assert b"did not work" in clean.request("GET", code["verification_uri"] + "?otc=x").body
    clean.request("GET", code["verification_uri"] + "?otc=" + code["user_code"])
    assert clean.poll(code["device_code"]).status == 200


def test_requests_that_hang_do_not_keep_the_emulator_from_stopping(clean):
    clean.emulator.fault("never", operation="up-device-code")
    clean.timeout = 0.3
    with pytest.raises(TimeoutError):
        clean.device_code()
    clean.emulator.fault("none", operation="up-device-code", ms=50)
    clean.timeout = 20
    assert clean.device_code().status == 200


def test_wrong_arguments_are_said(tmp_path):
    for arguments, word in [(["--universal-print"], "--tls-directory"),
                            (["--up", "nothing=1"], "nothing"), (["--up", "role=x"], "number"),
                            (["--tls-bad", "odd"], "odd")]:
        ended = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False,
                               cwd=tmp_path)
        assert ended.returncode == 2 and word in ended.stderr

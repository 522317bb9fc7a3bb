"""The door, against real sockets: what was surely never sent, and what may have been done."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests
import responses

from connectors import deadline, http
from connectors.auth import Bearer, Tokens
from connectors.draft import Exchange
from connectors.errors import ConnectorError, NeedsReconnect, Refused, TryLater, Unclear
from connectors.http import Answer, HttpClient
from connectors.limiter import NoRateLimiter
from tests.connectors.cast import Store
from tests.connectors.untrusted import untrusted_server

SERVER = "https://crm.example"


class PlainReader:
    """401 is an old token, every other error a refusal."""

    def is_expired(self, answer: Answer) -> bool:
        return answer.status == 401

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        return None if answer.ok else Refused(f"status {answer.status}")


def http_client(base_url: str = SERVER, **rest: Any) -> HttpClient:
    return HttpClient(base_url, PlainReader(), timeout=(2.0, 2.0), **rest)


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """Servers that read one request, send the given bytes and hang up."""
    sockets: list[socket.socket] = []

    def serve(answer: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        sockets.append(listener)

        def once() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        threading.Thread(target=once, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for listener in sockets:
        listener.close()


@pytest.fixture
def dripping() -> Iterator[Callable[[bytes], str]]:
    """A server that sends the given bytes at once and then one every 50 ms, until the test ends."""
    ended, listener = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def serve(beginning: bytes) -> str:
        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(beginning)
                while not ended.wait(0.05):
                    connection.sendall(b"a")

        threading.Thread(target=drip, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    ended.set()
    listener.close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# -- never sent: may be sent again, whatever it is -------------------------------------------------


def test_a_refused_connection_did_no_work():
    with pytest.raises(TryLater):
        http_client(f"http://127.0.0.1:{closed_port()}").call("POST", "/leads", json=[])


def test_a_name_that_nobody_has_did_no_work():
    with pytest.raises(TryLater):
        http_client("https://nobody.invalid").call("POST", "/leads", json=[])


def test_a_server_that_speaks_no_tls_did_no_work(answering):
    plain = answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(TryLater):
        http_client(plain.replace("http://", "https://")).call("POST", "/leads", json=[])


def test_a_certificate_of_nobody_did_no_work(tmp_path):
    with pytest.raises(TryLater):
        http_client(untrusted_server(tmp_path)).call("POST", "/leads", json=[])


def test_a_connect_timeout_did_no_work(mocked):
    mocked.add(responses.POST, f"{SERVER}/leads", body=requests.ConnectTimeout())
    with pytest.raises(TryLater):
        http_client().call("POST", "/leads")


def test_a_request_that_can_not_be_written_did_no_work():
    with pytest.raises(TryLater):
        http_client().call("POST", "/leads", headers={"X-Broken": "a\nb"})


# -- sent, and then nothing ------------------------------------------------------------------------

LOST = {
    "hung up": b"",
    "half a status line": b"HTTP/1.1 20",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n[{",
    "only what comes in between": b"HTTP/1.1 102 Processing\r\n\r\n",
    "broken gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_a_lost_answer_to_a_write_is_unclear(answering, answer):
    with pytest.raises(Unclear):
        http_client(answering(answer)).call("POST", "/leads", json=[])


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_a_lost_answer_to_a_read_is_only_a_wait(answering, answer):
    with pytest.raises(TryLater):
        http_client(answering(answer)).call("GET", "/leads")


def test_what_a_server_says_in_between_is_no_answer(answering):
    """Taken for one, each true answer would be that of the next request, which may be another lead's."""
    said = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    address = answering(said + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]")
    assert http_client(address).call("POST", "/leads", json=[]) == [1]


@pytest.mark.parametrize(
    ("head", "ends"),
    [
        (b"101 Switching Protocols\r\nUpgrade: h2c", True),
        (b"204 No Content\r\nContent-Length: 5", True),
        (b"204 No Content\r\nTransfer-Encoding: chunked", True),
        (b"204 No Content", False),
        (b"204 No Content\r\nContent-Length: 0", False),
        (b"200 OK\r\nContent-Length: 5", False),
    ],
)
def test_a_connection_on_which_more_may_come_is_not_used_again(head, ends):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 " + head + b"\r\n\r\n")
        answer = deadline.DeadlineResponse(ours)
        answer.begin()
        assert answer.will_close is ends


def test_a_read_timeout_of_a_write_is_unclear(mocked):
    mocked.add(responses.POST, f"{SERVER}/leads", body=requests.ReadTimeout())
    with pytest.raises(Unclear):
        http_client().call("POST", "/leads")


def test_a_write_that_may_be_repeated_is_only_a_wait(mocked):
    mocked.add(responses.POST, f"{SERVER}/token", body=requests.ReadTimeout())
    with pytest.raises(TryLater):
        http_client().call("POST", "/token", safe=True)


def test_an_endless_body_is_cut_off(mocked):
    mocked.add(responses.GET, f"{SERVER}/leads", body="x" * 1001)
    with pytest.raises(TryLater):
        HttpClient(SERVER, PlainReader(), most=1000).call("GET", "/leads")


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_dripping_answer_has_a_deadline(dripping, beginning):
    """No gap between two bytes is long, and yet status line, headers or body never end."""
    slow = HttpClient(dripping(beginning), PlainReader(), timeout=(0.3, 0.3))
    started = time.monotonic()
    with pytest.raises(Unclear):
        slow.call("POST", "/leads")
    assert time.monotonic() - started < 5


def test_a_connection_keeps_its_timeout_for_the_next_answer(monkeypatch):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(2.0)
        reader = deadline.DeadlineReader(ours)
        now = time.monotonic()
        monkeypatch.setattr(deadline.time, "monotonic", lambda: now + 2.0 * deadline.READ_TIMEOUTS - 0.5)
        theirs.sendall(b"x")
        assert reader.readinto(bytearray(1)) == 1
        assert ours.gettimeout() == 2.0


# -- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        (b'{"name": "\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0"}', "text/html", {"name": "Анна"}),
        ('{"name": "Анна"}'.encode("cp1251"), "application/json; charset=windows-1251", {"name": "Анна"}),
        (b"\xff[1]", "application/json; charset=no-such-thing", None),
        (b"", "application/json", None),
        (b"<html>", "text/html", None),
        (b"[" * 100_000, "application/json", None),
    ],
)
def test_bodies_are_read_as_what_they_are(mocked, body, content_type, value):
    mocked.add(responses.GET, f"{SERVER}/x", body=body, content_type=content_type)
    assert http_client().call("GET", "/x") == value


def test_redirects_are_not_followed_and_cookies_not_kept(mocked):
    mocked.add(responses.GET, f"{SERVER}/x", status=200, headers={"Set-Cookie": "session=1; Path=/"})
    mocked.add(responses.POST, f"{SERVER}/x", status=307, headers={"Location": "https://evil.example/"})
    http_client().call("GET", "/x")
    with pytest.raises(Refused):
        http_client().call("POST", "/x", json={"client_secret": "s"})
    assert "Cookie" not in mocked.calls[-1].request.headers
    assert len(mocked.calls) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("base_url", [SERVER, f"{SERVER}:8443/rest", "https://КРМ.Example"])
@pytest.mark.parametrize("path", ["/x", "/api/v4/leads/1.json", "/a/../b", "/a b/ё", "/x?y=%7E1", "/x/"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"params": {}},
        {"params": {"query": "+7 (916) ё&=~", "filter[id][]": ["1", None, 2], "none": None, "yes": True}},
        {"json": [{"name": "ё"}], "headers": {"user-agent": "other", "X-Page": "2"}},
        {"json": {}},
        {"data": {"grant_type": "code", "several": ["1", "2"]}},
    ],
    ids=str,
)
def test_a_request_is_what_requests_would_make_of_it(method, base_url, path, asked, monkeypatch):
    headers = {**http.USUAL_HEADERS, **asked.get("headers", {})}
    theirs = requests.Request(method, base_url + path, **{**asked, "headers": headers}).prepare()
    sent = []

    def send(adapter, request, **how):
        sent.append(request)
        raise requests.ConnectTimeout

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    with pytest.raises(TryLater):
        http_client(base_url=base_url).call(method, path, **asked)
    [ours] = sent
    assert (ours.method, ours.url, ours.body) == (theirs.method, theirs.url, theirs.body)
    assert dict(ours.headers.lower_items()) == dict(theirs.headers.lower_items())


def test_a_netrc_of_the_machine_signs_nothing(mocked, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine crm.example login root password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    mocked.add(responses.GET, f"{SERVER}/x")
    http_client().call("GET", "/x")
    assert "Authorization" not in mocked.calls[0].request.headers


# -- tokens ----------------------------------------------------------------------------------------


def by_token(good: str) -> Callable[[requests.PreparedRequest], tuple[int, dict[str, str], str]]:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return (200, {}, "[]") if request.headers["Authorization"] == f"Bearer {good}" else (401, {}, "")

    return answer


def test_an_old_token_is_renewed_once_and_the_call_repeated(mocked):
    mocked.add_callback(responses.POST, f"{SERVER}/leads", callback=by_token("new"))
    store = Store(Tokens("old"), lambda stale: Tokens("new"))
    assert http_client(auth=Bearer(store)).call("POST", "/leads", json=[1]) == []
    assert [call.request.body for call in mocked.calls] == [b"[1]", b"[1]"]


def test_a_second_refusal_asks_for_reconnection(mocked):
    mocked.add_callback(responses.GET, f"{SERVER}/leads", callback=by_token("none"))
    with pytest.raises(NeedsReconnect):
        http_client(auth=Bearer(Store(Tokens("old"), lambda stale: Tokens("new")))).call("GET", "/leads")
    assert len(mocked.calls) == 2


def test_a_renewal_that_fails_leaves_the_call_unsent(mocked):
    def later(stale: Tokens) -> Tokens:
        raise TryLater("no answer")

    mocked.add_callback(responses.POST, f"{SERVER}/leads", callback=by_token("new"))
    with pytest.raises(TryLater):
        http_client(auth=Bearer(Store(Tokens("old"), later))).call("POST", "/leads")


def test_whoever_is_refused_late_gets_the_pair_that_is_new_already():
    store = Store(Tokens("old"), lambda stale: Tokens("new"))
    auth = Bearer(store)
    stale = auth.current()
    assert [auth.renew(stale).access, auth.renew(stale).access] == ["new", "new"]
    assert store.renewals == 1


def test_threads_that_share_an_auth_renew_once(mocked):
    mocked.add_callback(responses.GET, f"{SERVER}/leads", callback=by_token("new"))
    store = Store(Tokens("old"), lambda stale: Tokens("new"))
    shared = http_client(auth=Bearer(store))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: shared.call("GET", "/leads"), range(16)))
    assert store.renewals == 1


def test_exchanges_are_told_without_secrets(mocked):
    told: list[Exchange] = []
    mocked.add(responses.POST, f"{SERVER}/token", json={"access_token": "fresh-secret", "id": 7})
    http_client(auth=Bearer(Store(Tokens("bearer-secret"))), on_exchange=told.append).call(
        "POST", "/token?auth=query-secret", json={"client_secret": "our-secret", "name": "Анна"}
    )
    assert "secret" not in repr(told).replace("client_secret", "")
    assert (told[0].status, "Анна" in told[0].request, '"id": 7' in told[0].response) == (200, True, True)


def test_a_lost_answer_is_told_too(mocked):
    told: list[Exchange] = []
    mocked.add(responses.POST, f"{SERVER}/leads", body=requests.ReadTimeout())
    with pytest.raises(Unclear):
        http_client(on_exchange=told.append).call("POST", "/leads")
    assert (told[0].status, told[0].response) == (0, "ReadTimeout")


def test_the_environments_proxy_is_used_where_it_names_one(answering, monkeypatch):
    http.proxies_of.cache_clear()
    proxy = answering(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"proxied"')
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    straight = answering(b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"direct"')
    try:
        assert http_client("http://crm.example").call("GET", "/") == "proxied"
        assert http_client(straight).call("GET", "/") == "direct"
    finally:
        http.proxies_of.cache_clear()


def test_the_environments_certificates_are_trusted(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/somewhere/ca.pem")
    assert http._session().verify == "/somewhere/ca.pem"
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    assert http._session().verify is True


# -- its turn ----------------------------------------------------------------------------------------------


class Turns(NoRateLimiter):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def wait(self) -> None:
        self.asked.append("wait")

    def about_to_write(self) -> None:
        self.asked.append("write")


@pytest.mark.parametrize(("late", "asked"), [(-1.0, ["wait", "write", "wait"]), (60.0, ["wait", "write"])])
def test_a_write_that_has_missed_its_turn_waits_for_another_one(mocked, monkeypatch, late, asked):
    """Writing down that it is about to be sent took too long: it would arrive together with the next ones."""
    monkeypatch.setattr(http, "LATE", late)
    mocked.add("POST", f"{SERVER}/leads", json={})
    turns = Turns()
    http_client(limiter=turns).call("POST", "/leads", json={})
    assert turns.asked == asked

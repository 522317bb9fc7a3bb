"""Queries, methods, ids, headers and paths that nobody means well with, on every route."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.hostile.routes import Route, rest_routes, routes
from tests.hostile.shapes import assert_clear_error
from tests.hostile.wire import knock

LISTS = [route for route in rest_routes() if "get" in route.methods and not route.ids]
QUERIES = [
    "page=-1",
    "page=0&size=0",
    f"size={10**30}",
    f"page={2**63}&size={2**63}",
    f"page={2**62}&size=10000",
    "page=1.5",
    "page=1e3",
    "page=%D9%A3",
    "page=%00",
    "size=%FF",
    "page[]=1",
    "page=1&page=2",
    "page=+1",
    "page= 1",
    "from=nonsense",
    "from=9999-99-99",
    "from=0000-00-00",
    "to=9999-12-31T23:59:59-23:59",
    "from=0001-01-01T00:00:00%2B23:59",
    "from=2026-01-01T00:00:00%2B99:99",
    "from=" + "9" * 5000,
    "to=%00",
    "quizID=-1",
    f"quizID={10**30}",
    "quizID=abc",
    "quizID=%00",
    "crm=%00",
    "crm=amocrm%00",
    "crm=AMOCRM",
    "by=%00",
    "by=option",
    f"by=option&quizID={2**63}",
    "kind=%00",
    "kind=missing&kind=moved",
    "format=xml",
    "format=%FF",
    "crmAccountID=-1",
    f"crmAccountID={10**30}",
    "crmAccountID=%00",
    "from=2026-01-01&to=2025-01-01",
    "from=1970-01-01&to=9000-12-31",
    "state=x",
    "status=x",
    "status=%00",
    "Pagination[page]=-1",
    "Pagination%5Bsize%5D=x",
    "%00=%00",
    "%FF=%FF",
    "=&=&=",
    "a=" + "b" * 100_000,
    "&".join(f"p{n}=1" for n in range(5000)),
    "page=1;size=2",
    "page=1%0D%0AX-Header:1",
]


@pytest.mark.parametrize("route", LISTS, ids=str)
def test_a_strange_query_is_answered_or_refused_in_words(owner: Client, route: Route) -> None:
    for query in QUERIES:
        answer = owner.get(f"{route.url()}?{query}")
        if answer.status_code != 200:
            assert_clear_error(answer, route, {400, 404})


@pytest.mark.parametrize(
    "route", [r for r in routes() if not r.path.endswith("/") and not r.is_platforms], ids=str
)
def test_other_methods_are_not_allowed(owner: Client, route: Route) -> None:
    served = {"head", *(getattr(route.view, "actions", None) or {"get": ""})}
    target = route.url(**{name: 1 if number else "x" for name, number in route.ids.items()})
    for method in {
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "options",
        "trace",
        "propfind",
        "x" * 50,
    } - served:
        answer = owner.generic(method.upper(), target)
        assert answer.status_code == 405, method
        assert answer["Allow"], method
        if hasattr(route.view, "actions"):
            assert_clear_error(answer, route)


@pytest.mark.parametrize("route", [r for r in routes() if not r.path.endswith("/")], ids=str)
def test_a_look_at_the_head_alone_makes_nobody_stumble(owner: Client, route: Route) -> None:
    target = route.url(**{name: 1 if number else "x" for name, number in route.ids.items()})
    answer = owner.head(target)
    assert answer.status_code < 500
    assert answer.content == b""


IDS = [
    "0",
    "-1",
    "1.0",
    "9" * 20,
    "9" * 5000,
    "٣",
    "%00",
    "%FF%FE",
    "..",
    "%2e%2e%2f",
    "'",
    "1%0d%0aX-H:1",
    "ё",
    " ",
]


@pytest.mark.parametrize("route", [r for r in routes() if r.ids and not r.path.endswith("/")], ids=str)
def test_an_id_that_is_none_is_not_found_or_refused(owner: Client, route: Route) -> None:
    for text in IDS:
        for method in set(route.methods) - {"head"}:
            target = f"/{route.path}"
            for name, number in route.ids.items():
                target = target.replace(f"<{'int' if number else 'str'}:{name}>", text)
            answer = owner.generic(method.upper(), target)
            known = not isinstance(answer.json(), str)  # a path that is none of ours is told so in words
            assert_clear_error(
                answer, route if known else None, {403, 404} if route.is_platforms else {400, 404}
            )


HEADERS = {
    "HTTP_HOST": [
        "evil.example",
        "localhost:99999",
        "localhost, evil.example",
        "[::1",
        "\x00",
        "x" * 9000,
        "",
    ],
    "HTTP_ACCEPT": [
        "",
        "*",
        "text/html;q=x",
        "application/json;version=\x00",
        "x" * 9000,
        "image/png",
        "a/b/c",
    ],
    "HTTP_ACCEPT_LANGUAGE": ["x" * 9000, "ru;q=nan", "../../etc/passwd", "\x00", "ru," * 3000],
    "HTTP_COOKIE": [
        "sessionid=\x00",
        "sessionid=" + "x" * 9000,
        "csrftoken=\xff; sessionid=../../x",
        "=;=;=",
    ],
    "HTTP_IF_MODIFIED_SINCE": ["Thu, 99 Foo 2026 99:99:99 GMT", "\x00"],
    "HTTP_RANGE": ["bytes=0-0,0-1,0-2", "bytes=-99999999999999999999"],
    "HTTP_X_FORWARDED_PROTO": ["https\x00", "gopher"],
    "HTTP_X_FORWARDED_FOR": ["\x00", "' OR 1=1 --", "x" * 9000],
    "HTTP_AUTHORIZATION": ["Bearer", "Basic eA==", "bearer \x00", "Digest x" * 500, "Bearer\tx", " "],
    "HTTP_TRANSFER_ENCODING": ["chunked", "gzip, chunked", "\x00"],
    "HTTP_X_HTTP_METHOD_OVERRIDE": ["DELETE", "\x00"],
    "CONTENT_TYPE": [
        "x; charset=hex",
        "x; charset=utf-16",
        "x; charset*=x''%FF",
        ";;;",
        "\x00/\x00",
        'x; a="' * 99,
    ],
    "CONTENT_LENGTH": ["-1", "x", "9" * 40],
    "REMOTE_ADDR": ["", "unix:", "nonsense"],
}
OPEN = [
    "/healthz",
    "/docs",
    "/connected/amocrm",
    "/webhook/create?state=x",
    "/webhook/delete",
    "/nowhere",
    "/admin/login/",
    "/static/desk/desk.css",
    "/deliveries?page=1",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("target", OPEN)
def test_no_header_makes_us_stumble(target: str) -> None:
    for name, values in HEADERS.items():
        for value in values:
            for method in ("GET", "POST"):
                reply = knock(method, target, **{name: value})
                assert reply.status < 500, (name, value[:40])
                assert "\n" not in "".join(map(str, reply.headers.values()))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "target",
    [
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/../config/settings.py",
        "/static/%2e%2e/%2e%2e/.env",
        "/static/%00",
        "//evil.example/%2e%2e",
        "/" + "a" * 100_000,
        "/\xff\xfe",
        "/.env",
        "/.git/config",
    ],
)
def test_a_path_leads_nowhere_else(target: str) -> None:
    assert (knock("GET", target).status, knock("GET", target).json()) == (404, "Not Found")


STRANGERS = ("//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)")


@pytest.mark.django_db
def test_the_log_in_leads_to_no_stranger(django_user_model: Any) -> None:
    django_user_model.objects.create_superuser("root", password="right-horse-battery")
    for goal in STRANGERS:
        known = {"username": "root", "password": "right-horse-battery"}
        answer = Client().post(f"/admin/login/?next={goal}", known)
        assert (answer.status_code, answer["Location"]) == (302, "/admin/"), goal

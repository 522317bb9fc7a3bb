"""The way of a request: whose address, which key, which method, which envelope (reference 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.core import Reply, Request
from connectors.sandbox.envybox.call import Call
from connectors.sandbox.envybox.creation import catch_up
from connectors.sandbox.envybox.errors import Refused
from connectors.sandbox.envybox.ledger import front_page
from connectors.sandbox.envybox.methods import ELSEWHERE, METHODS, find
from connectors.sandbox.envybox.model import Crm
from connectors.sandbox.envybox.show import prints_texts, styled

if TYPE_CHECKING:
    from connectors.sandbox.envybox.sandbox import EnvySandbox

PREFIX, OLD_PREFIX = "/openapi/v1/", "/crm/api/v1/"
SUCCESS = {"status_code": 200, "message": "success"}


def answer(box: EnvySandbox, request: Request) -> Reply:
    crm = box.owner_of(request)
    name = method_name(box, request.path)
    if crm is None:
        return Reply.html(404, "<html><body>Страница не найдена</body></html>")
    if name is None:
        catch_up(box, crm)
        return front_page(crm, request)
    try:
        return _called(box, crm, request, name)
    except Refused as refusal:
        return refusal.reply(box.switches)


def method_name(box: EnvySandbox, path: str) -> str | None:
    """With a slash at the end or without; the old prefix serves the same methods (1.1)."""
    prefixes = (PREFIX, OLD_PREFIX) if box.switches["old_prefix"] else (PREFIX,)
    prefix = next((one for one in prefixes if path.startswith(one)), None)
    return path.removeprefix(prefix).strip("/") if prefix else None


def _called(box: EnvySandbox, crm: Crm, request: Request, name: str) -> Reply:
    if request.params.get("api_key") != crm.key:
        raise Refused("WRONG_KEY")
    catch_up(box, crm)
    known, in_path = find(name)
    verb, handler = METHODS.get(known, ("", None))
    if known in ELSEWHERE:
        return Reply.not_here(box.title, f"/{known}/")
    if handler is None or verb != request.method:
        raise Refused("NO_METHOD")
    params = {**_read(request), **in_path}
    body = handler(Call(box, crm, params))
    bare = "filter" in params and known == "deal/list" and not box.switches["filter_envelope"]
    catch_up(box, crm)
    return Reply.json(200, styled(body, prints_texts(known, box.switches)) | ({} if bare else SUCCESS))


def _read(request: Request) -> dict[str, Any]:
    """GET: the query. POST: JSON, inside `request` or bare (1.2)."""
    if request.method == "GET":
        return {key: value for key, value in request.query if key != "api_key"}
    try:
        body = request.json()
    except ValueError as exc:
        raise Refused("BAD_REQUEST") from exc
    if not isinstance(body, dict):
        raise Refused("BAD_REQUEST")
    inner = body.get("request", body)
    if not isinstance(inner, dict):
        raise Refused("BAD_REQUEST")
    return inner

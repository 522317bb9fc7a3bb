"""What a client caches: account, users, pipelines, tags (reference 2 and 3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.amocrm.filters import texts_of
from connectors.sandbox.amocrm.hal import NO_CONTENT, Call, hal, page, problem, refuse
from connectors.sandbox.amocrm.model import Pipeline, Status, Tag, User
from connectors.sandbox.core import Reply

EVERYTHING = {"view": "A", "edit": "A", "add": "A", "delete": "A", "export": "A"}
OWN = {"view": "A", "edit": "M", "add": "A", "delete": "D", "export": "D"}


def account(call: Call) -> Reply:
    here, modes = call.account, call.box.customers_mode(call.account)
    body: dict[str, Any] = {
        "id": here.id,
        "name": here.name,
        "subdomain": here.subdomain,
        "created_at": here.created_at,
        "created_by": 0,
        "updated_at": here.created_at,
        "updated_by": 0,
        "current_user_id": call.grant.user_id,
        "country": here.country,
        "currency": here.currency,
        "currency_symbol": here.currency_symbol,
        "customers_mode": modes,
        "is_unsorted_on": here.is_unsorted_on,
        "mobile_feature_version": 0,
        "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False,
        "is_technical_account": False,
        "contact_name_display_order": 1,
    }
    body |= {name: value for name, value in _plain_extras(call).items() if call.wants(name)}
    body["_links"] = call.href("/api/v4/account")
    embedded = {name: value for name, value in _embedded_extras(call).items() if call.wants(name)}
    return hal(body | ({"_embedded": embedded} if embedded else {}))


def _plain_extras(call: Call) -> dict[str, Any]:
    return {
        "amojo_id": f"{call.account.id:08x}-0000-4000-8000-000000000000",
        "uuid": f"{call.account.id:08x}-0000-4000-8000-000000000001",
        "version": 13,
        "entity_names": {"leads": {"ru": {"gender": "f", "singular_form": {"default": "Сделка"}}}},
        "drive_url": f"https://drive-a.{call.account.domain}",
        "is_api_filter_enabled": call.account.is_api_filter_enabled,
        "invoices_settings": None,
    }


def _embedded_extras(call: Call) -> dict[str, Any]:
    zone = ZoneInfo(call.account.timezone)
    shift = datetime.fromtimestamp(call.now, zone).strftime("%z")
    groups = call.account.groups.items()
    return {
        "amojo_rights": {"can_direct": True, "can_create_groups": True},
        "users_groups": [{"id": number, "name": name, "uuid": None} for number, name in groups],
        "task_types": [{"id": 1, "name": "Связаться", "color": None, "icon_id": None, "code": "FOLLOW_UP"}],
        "datetime_settings": {
            "date_pattern": "d.m.Y H:i",
            "short_date_pattern": "d.m.Y",
            "short_time_pattern": "H:i",
            "date_formant": "d.m.Y",
            "time_format": "H:i:s",
            "timezone": call.account.timezone,
            "timezone_offset": f"{shift[:3]}:{shift[3:]}",
        },
    }


# -- users: for an admin's token only (reference 3.2) ------------------------------------------------


def _may_read_users(call: Call) -> None:
    if call.box.integrations[call.grant.client_id].kind == "external":
        raise refuse(403, "Invalid scope")
    call.admin_only()


def users(call: Call) -> Reply:
    _may_read_users(call)
    people = call.account.users
    return page(call, "users", people.values(), lambda user: _user(call, user), total=len(people))


def user(call: Call) -> Reply:
    _may_read_users(call)
    found = call.account.users.get(call.id)
    return hal(_user(call, found)) if found else problem(404, "Not Found")


def _user(call: Call, user: User) -> dict[str, Any]:
    entities = EVERYTHING if user.is_admin else OWN
    rights: dict[str, Any] = {kind: dict(entities) for kind in ("leads", "contacts", "companies")}
    rights["tasks"] = {"edit": "A", "delete": "A"} if user.is_admin else {"edit": "M", "delete": "D"}
    rights |= {"mail_access": user.is_admin, "catalog_access": user.is_admin, "status_rights": []}
    for name in ("is_admin", "is_free", "is_active", "group_id", "role_id"):
        rights[name] = getattr(user, name)
    body: dict[str, Any] = {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "lang": "ru",
        "rights": rights,
    }
    body["_links"] = call.href(f"/api/v4/users/{user.id}")
    embedded = _user_embedded(call, user)
    return body | ({"_embedded": embedded} if embedded else {})


def _user_embedded(call: Call, user: User) -> dict[str, Any]:
    roles, groups = call.account.roles, call.account.groups
    found: dict[str, Any] = {}
    if call.wants("role"):
        links = call.href(f"/api/v4/roles/{user.role_id}")
        has = user.role_id in roles and user.role_id is not None
        found["roles"] = (
            [{"id": user.role_id, "name": roles[user.role_id or 0], "_links": links}] if has else []
        )
    if call.wants("group"):
        found["groups"] = [{"id": user.group_id or 0, "name": groups.get(user.group_id or 0, "")}]
    return found


# -- pipelines: no paging, incoming hidden when switched off (reference 3.3) -------------------------


def pipelines(call: Call) -> Reply:
    found = [_pipeline(call, pipeline) for pipeline in call.account.pipelines.values()]
    links = call.href("/api/v4/leads/pipelines")
    return hal({"_total_items": len(found), "_links": links, "_embedded": {"pipelines": found}})


def pipeline(call: Call) -> Reply:
    return hal(_pipeline(call, _known_pipeline(call)))


def statuses(call: Call) -> Reply:
    owner = _known_pipeline(call)
    found = [_status(call, owner, status) for status in _visible(call, owner)]
    links = call.href(call.request.path)
    return hal({"_total_items": len(found), "_links": links, "_embedded": {"statuses": found}})


def status(call: Call) -> Reply:
    owner = _known_pipeline(call)
    found = next((status for status in _visible(call, owner) if status.id == call.ids[1]), None)
    return hal(_status(call, owner, found)) if found else problem(404, "Not Found")


def _known_pipeline(call: Call) -> Pipeline:
    found = call.account.pipelines.get(call.id)
    if found is None:
        raise refuse(404, "Not Found")
    return found


def _visible(call: Call, owner: Pipeline) -> list[Status]:
    on = call.account.is_unsorted_on and owner.is_unsorted_on
    return [status for status in owner.statuses if on or status.type != 1]


def _pipeline(call: Call, pipeline: Pipeline) -> dict[str, Any]:
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "sort": pipeline.sort,
        "is_main": pipeline.is_main,
        "is_unsorted_on": call.account.is_unsorted_on and pipeline.is_unsorted_on,
        "is_archive": pipeline.is_archive,
        "account_id": call.account.id,
        "_links": call.href(f"/api/v4/leads/pipelines/{pipeline.id}"),
        "_embedded": {"statuses": [_status(call, pipeline, status) for status in _visible(call, pipeline)]},
    }


def _status(call: Call, pipeline: Pipeline, status: Status) -> dict[str, Any]:
    return {
        "id": status.id,
        "name": status.name,
        "sort": status.sort,
        "is_editable": status.is_editable,
        "pipeline_id": pipeline.id,
        "color": status.color,
        "type": status.type,
        "account_id": call.account.id,
        "_links": call.href(f"/api/v4/leads/pipelines/{pipeline.id}/statuses/{status.id}"),
    }


def loss_reasons(call: Call) -> Reply:
    reasons = call.account.loss_reasons.items()
    return page(call, "loss_reasons", reasons, lambda pair: {"id": pair[0], "name": pair[1], "sort": 1})


# -- tags (reference 3.5 and 4.5) --------------------------------------------------------------------


def tags(call: Call) -> Reply:
    found = list(call.account.tags[call.kind].by_id.values())
    for test in _tag_tests(call):
        found = [tag for tag in found if test(tag)]
    return page(call, "tags", found, tag_view)


def _tag_tests(call: Call) -> list[Any]:
    names, ids = (texts_of(call.filter.get(key)) for key in ("name", "id"))
    tests: list[Any] = []
    if names:
        tests.append(lambda tag: tag.name == names[0])
    if ids:
        tests.append(lambda tag: str(tag.id) in ids)
    if query := call.request.params.get("query"):
        tests.append(lambda tag: query.casefold() in tag.name.casefold())
    return tests


def tag_view(tag: Tag) -> dict[str, Any]:
    return {"id": tag.id, "name": tag.name, "color": tag.color}


def add_tags(call: Call) -> Reply:
    """An existing name returns its id, so the call is safe to repeat."""
    made = []
    for index, row in enumerate(call.rows()):
        name = row.get("name")
        if not isinstance(name, str) or not name.strip():
            raise refuse(400, "Request validation failed")
        tag = call.box.tag(call.account, call.kind, name, row.get("color"))
        made.append(tag_view(tag) | {"request_id": str(row.get("request_id", index))})
    links = call.href(call.request.path)
    return hal({"_total_items": len(made), "_links": links, "_embedded": {"tags": made}})


def nothing(call: Call) -> Reply:
    """Lists this sandbox knows to exist but keeps empty."""
    return NO_CONTENT

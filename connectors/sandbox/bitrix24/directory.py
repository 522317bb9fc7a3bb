"""Lists for a cache: people, pipelines, dictionaries; and what a portal says about itself (reference 3)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.bitrix24.call import Call, Outcome, paged
from connectors.sandbox.bitrix24.errors import Refused, plain
from connectors.sandbox.bitrix24.listing import split_key
from connectors.sandbox.bitrix24.model import Category, Status, User
from connectors.sandbox.php import is_array, to_int, values_of

TRUE = (True, 1, "1", "Y", "true", "True", "y")
NO_FILTERS = ("filter", "select", "sort", "order", "start", "admin_mode", "auth", "access_token")

# -- people (3.1) -------------------------------------------------------------------------------------


def users(call: Call) -> Outcome:
    """Terminated people are there unless ACTIVE is asked for; bots are never. Filters stand in FILTER or at
    the root (11)."""
    people = [user for user in call.portal.users.values() if user.user_type == "employee"]
    root = {key: raw for key, raw in call.params.items() if key.lower() not in NO_FILTERS}
    for key, raw in (root | call.array("filter")).items():
        sign, name = split_key(key)
        people = [user for user in people if _matches(user, sign, name.upper(), raw)]
    if str(call.param("order") or "").upper() == "DESC":
        people.reverse()
    page = paged(people, call.number("start"))
    page.result = [_user(call, user) for user in page.result]
    return page


def _matches(user: User, sign: str, name: str, raw: Any) -> bool:
    if name == "ACTIVE":
        return user.active is (raw in TRUE)
    if name == "ID":
        number = to_int(raw)
        ways = {
            ">": user.id > number,
            "<": user.id < number,
            ">=": user.id >= number,
            "<=": user.id <= number,
        }
        return ways.get(sign, user.id in [to_int(value) for value in values_of(raw)])
    known = {"EMAIL": user.email, "NAME": user.name, "LAST_NAME": user.last_name, "USER_TYPE": user.user_type}
    return name not in known or known[name] in values_of(raw)


def _user(call: Call, user: User) -> dict[str, Any]:
    """Any key may be missing; dates can be `{}`."""
    row: dict[str, Any] = {"ID": str(user.id), "ACTIVE": user.active, "NAME": user.name}
    row |= {"LAST_NAME": user.last_name, "SECOND_NAME": user.second_name, "TITLE": user.title}
    row |= {"EMAIL": user.email, "WORK_POSITION": user.position, "UF_DEPARTMENT": list(user.departments)}
    row |= {"USER_TYPE": user.user_type, "TIMESTAMP_X": {}, "LAST_ACTIVITY_DATE": {}, "IS_ONLINE": "N"}
    if user.position is None:
        row = {key: value for key, value in row.items() if key not in ("WORK_POSITION", "TITLE")}
    if not {"user", "user_basic"} & set(call.auth.scopes):
        row.pop("EMAIL")
    return row


def profile(call: Call) -> dict[str, Any]:
    user = call.user
    row = {"ID": str(user.id), "ADMIN": user.admin, "NAME": user.name, "LAST_NAME": user.last_name}
    return row | {"PERSONAL_GENDER": "", "TIME_ZONE": ""}


# -- pipelines (3.2) ----------------------------------------------------------------------------------

NO_PIPELINES = {1: "ENTITY_TYPE_NOT_SUPPORTED", 7: "ENTITY_TYPE_NOT_SUPPORTED"}


def categories(call: Call) -> Outcome:
    """400 with two codes for "no pipelines here"; which one 5 and 8 give is UNCONFIRMED."""
    number = call.number("entityTypeId")
    refusal = _refused_type(call, number)
    if refusal:
        raise Refused(400, refusal, f"Тип {number} не поддерживает воронки")
    found = list(call.portal.categories.get(number, {}).values())
    if number in (3, 4) and call.switches["category_3_4"] == "default":
        found = [Category(0, "Общая", number, 300, is_default=True)]
    if not call.user.admin:
        found = [one for one in found if one.id not in call.portal.hidden_categories]
    return Outcome({"categories": [_category(one) for one in found]}, len(found))


def _refused_type(call: Call, number: int) -> str | None:
    if number in (5, 8):
        return str(call.switches["category_5_8"])
    if number in (3, 4):
        mood = call.switches["category_3_4"]
        return mood if mood == "ENTITY_TYPE_NOT_SUPPORTED" else None
    if number in NO_PIPELINES:
        return NO_PIPELINES[number]
    return None if number in (2, 31) else "NOT_FOUND"


def _category(category: Category) -> dict[str, Any]:
    row = {"id": category.id, "name": category.name, "sort": category.sort, "entityTypeId": category.type_id}
    row["isDefault"] = "Y" if category.is_default else "N"
    return row if category.is_default else row | {"originId": "", "originatorId": ""}


# -- dictionaries (3.3) -------------------------------------------------------------------------------


def statuses(call: Call) -> Outcome:
    """Everything at once whatever `start` is; ENTITY_ID must be a scalar."""
    rows = sorted(call.portal.statuses, key=lambda row: row.id)
    for key, raw in call.array("filter").items():
        _, name = split_key(key)
        if name.upper() == "ENTITY_ID" and is_array(raw):
            raise plain("Parameter 'filter[ENTITY_ID]' must be scalar.")
        if name.upper() in STATUS_FILTERS:
            rows = [row for row in rows if STATUS_FILTERS[name.upper()](row) == str(raw)]
    order = {str(name).upper(): str(way).upper() for name, way in call.array("order").items()}
    for name in ("SORT", "ID"):
        if name in order:
            rows.sort(key=lambda row, name=name: row.sort if name == "SORT" else row.id)  # type: ignore[misc]
            if order[name] == "DESC":
                rows.reverse()
    return Outcome([_status(row) for row in rows], len(rows))


STATUS_FILTERS = {
    "ID": lambda row: str(row.id),
    "ENTITY_ID": lambda row: row.entity_id,
    "STATUS_ID": lambda row: row.status_id,
    "CATEGORY_ID": lambda row: str(row.category_id),
}


def is_stage(row: Status) -> bool:
    return row.entity_id in ("STATUS", "QUOTE_STATUS") or "_STAGE" in row.entity_id


def _status(row: Status) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ID": str(row.id),
        "ENTITY_ID": row.entity_id,
        "STATUS_ID": row.status_id,
        "NAME": row.name,
        "NAME_INIT": row.name_init,
        "SORT": str(row.sort),
        "SYSTEM": "Y" if row.system else "N",
        "CATEGORY_ID": None if row.category_id is None else str(row.category_id),
        "COLOR": row.color or None,
        "SEMANTICS": row.semantics,
    }
    if not is_stage(row):
        return shown
    words = {None: "process", "S": "success", "F": "failure"}
    return shown | {"EXTRA": {"SEMANTICS": words[row.semantics], "COLOR": row.color}}


NAMES = {
    "STATUS": "Статусы лидов",
    "SOURCE": "Источники",
    "DEAL_TYPE": "Тип сделки",
    "DEAL_STAGE": "Стадии сделки",
}


def entity_types(call: Call) -> list[dict[str, Any]]:
    found = []
    for entity, rows in call.portal.statuses.by_entity.items():
        row: dict[str, Any] = {"ID": entity, "NAME": NAMES.get(entity, entity), "SEMANTIC_INFO": []}
        first = next(iter(rows.values()), None)
        if first is not None and first.category_id:
            row |= {"PARENT_ID": "DEAL_STAGE", "CATEGORY_ID": first.category_id}
            row |= {"PREFIX": first.status_id.partition(":")[0]}
        found.append(row)
    return found


def entity_items(call: Call) -> list[dict[str, Any]]:
    rows = call.portal.statuses.by_entity.get(str(call.param("entityId") or ""))
    if rows is None:
        raise plain("Parameter 'entityId' is not defined or invalid.")
    ordered = sorted(rows.values(), key=lambda row: (row.sort, row.id))
    return [{"NAME": row.name, "SORT": row.sort, "STATUS_ID": row.status_id} for row in ordered]


# -- about the portal and the app ---------------------------------------------------------------------


def mode(call: Call) -> int:
    """1 classic, 2 simple CRM without leads (4.7)."""
    return call.portal.mode


def base_currency(call: Call) -> str:
    """dev.1c-bitrix.ru/rest_help/crm/currency/crm_currency_base_get.php"""
    return call.portal.currency


def scope(call: Call) -> list[str]:
    return list(call.auth.scopes)


def app_info(call: Call) -> dict[str, Any]:
    """Other keys than the OAuth server's method of the same name (1.5)."""
    call.need_app()
    app = call.box.apps[call.auth.client_id]
    return {
        "ID": 17,
        "CODE": app.client_id,
        "VERSION": str(app.version),
        "STATUS": call.portal.status,
        "INSTALLED": True,
        "PAYMENT_EXPIRED": "N",
        "DAYS": None,
        "LANGUAGE_ID": "ru",
        "LICENSE": f"ru_{call.portal.plan}",
        "LICENSE_TYPE": call.portal.plan,
        "LICENSE_FAMILY": call.portal.plan,
    }

"""What people do in the CRM's own interface (6.21): no API call does any of it."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.solos.model import Account, Lead, Project, Row
from connectors.sandbox.solos.moments import moment


def add_project(account: Account, now: float, **values: Any) -> Project:
    """``values``: built-in keys, codes of dynamic fields, participants."""
    number = account.next("project")
    step = int(values.pop("step_id", 0) or next(iter(account.steps[next(iter(account.funnels))])))
    user = int(values.pop("user_id", 0) or next(iter(account.users)))
    built_in = {
        "created": values.pop("created", moment(now)),
        "sales_funnel_id": account.funnel_of(step),
        "step_id": step,
        "user_id": user,
        "group_id": account.group_of[user],
        "price": values.pop("price", 0),
        "currency_id": values.pop("currency_id", next(iter(account.currencies))),
    }
    people = {key: values.pop(key) for key in tuple(values) if key.startswith("participants_")}
    if unknown := values.keys() - account.fields.keys():
        raise LookupError(f"no such fields: {', '.join(sorted(unknown))}")
    project = account.projects[number] = Project(number, built_in, values, **people)
    _passed(account, project, built_in["created"])
    return project


def convert(
    account: Account, now: float, lead_id: int, step_id: int = 0, *, carry_mark: bool = True
) -> Project:
    """A lead becomes a project of a new client. The comment, and our mark with it, comes along or not."""
    lead = _lead(account, lead_id)
    number = account.next("client")
    payload = lead.payload
    client = {"id": number, "name": payload.get("name") or f"Клиент {number}"}
    account.clients[number] = {**client, "phone": payload.get("phone"), "email": payload.get("email")}
    comment = payload.get("comment") if carry_mark else None
    project = add_project(
        account,
        now,
        step_id=step_id,
        user_id=payload.get("user_id") if payload.get("user_id") in account.users else 0,
        client_id=number,
        comment=comment,
        phone=payload.get("phone"),
    )
    lead.project_id = project.id
    return project


def move(account: Account, now: float, project_id: int, step_id: int) -> None:
    project = _project(account, project_id)
    project.built_in |= {"sales_funnel_id": account.funnel_of(step_id), "step_id": step_id}
    _passed(account, project, moment(now))


def add_action(account: Account, now: float, project_id: int, type_id: int = 1, comment: str = "") -> Row:
    user = _project(account, project_id).built_in["user_id"]
    row = {"type_id": type_id, "user_id": user, "comment": comment}
    return _add(account, "actions", project_id, moment(now), row)


def add_payment(
    account: Account, now: float, project_id: int, sum: float, type: str = "1", date: str = ""
) -> Row:
    currency = _project(account, project_id).built_in["currency_id"]
    row = {"type": str(type), "sum": sum, "currency_id": currency}
    return _add(account, "payments", project_id, date or moment(now)[:10], row)


def add_good(
    account: Account, now: float, project_id: int, good_id: int, count: int = 1, price: float = 0
) -> Row:
    row = {"good_id": good_id, "name": account.goods[good_id], "count": count, "price": price}
    return _add(account, "goods", project_id, moment(now), row)


def add_checklist(
    account: Account, now: float, project_id: int, name: str = "Список", deadline: str = "", done: str = "0"
) -> Row:
    row = {"name": name, "deadline": deadline or moment(now + 86400), "done": str(done)}
    return _add(account, "checklists", project_id, moment(now), row)


def delete(account: Account, now: float, project_id: int, deleted: bool = True) -> None:
    _project(account, project_id).deleted = deleted


def delete_lead(account: Account, now: float, lead_id: int) -> None:
    _lead(account, lead_id).deleted = True


def _passed(account: Account, project: Project, at: str) -> None:
    row = {"step_id": project.built_in["step_id"], "user_id": project.built_in["user_id"]}
    _add(account, "steps", project.id, at, row)


def _add(account: Account, kind: str, project_id: int, at: str, row: Row) -> Row:
    _project(account, project_id)
    number = account.next(kind)
    made = {"id": number, "project_id": project_id, "date": at, **row}
    account.related[kind][number] = made
    return made


def _project(account: Account, number: int) -> Project:
    if number not in account.projects:
        raise LookupError(f"no such project: {number}")
    return account.projects[number]


def _lead(account: Account, number: int) -> Lead:
    if number not in account.leads:
        raise LookupError(f"no such lead: {number}")
    return account.leads[number]

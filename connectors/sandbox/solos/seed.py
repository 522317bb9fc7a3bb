"""A small window company that keeps its projects in solOS."""

from __future__ import annotations

from connectors.sandbox.solos import console
from connectors.sandbox.solos.model import Account
from connectors.sandbox.solos.moments import moment

USERS = {1: ("Ирина Соколова", 1), 2: ("Павел Ершов", 2), 3: ("Ольга Мирная", 2), 7: ("Денис Котов", 3)}
FUNNELS = {
    1: ("Окна", {11: "Новое обращение", 12: "Замер", 13: "Договор", 14: "Монтаж", 15: "Закрыто"}),
    3: ("Сервис", {31: "Заявка", 32: "Выезд", 33: "Готово"}),
}
FIELDS = {
    "client_id": "reference",
    "contract_date": "date",
    "contract_number": "string",
    "phone": "string",
    "comment": "string",
}
CLIENTS = ("ООО «Вектор»", "Андрей Лапин", "Светлана Ким")


def seed(account: Account, now: float, projects: int = 12) -> None:
    """People, funnels, clients, a calendar and some projects, a day between one and the next."""
    _directories(account)
    for name in CLIENTS:
        number = account.next("client")
        account.clients[number] = {"id": number, "name": name, "phone": None, "email": None}
    _people_and_dates(account, now)
    for index in range(projects):
        _project(account, now - 86400 * (projects - index), index)


def _directories(account: Account) -> None:
    account.users = {number: name for number, (name, _) in USERS.items()}
    account.group_of = {number: group for number, (_, group) in USERS.items()}
    account.groups = {1: "Руководство", 2: "Продажи", 3: "Монтаж"}
    account.currencies = {1: "RUB", 2: "USD"}
    account.goods = {501: "Окно двухкамерное", 502: "Подоконник"}
    account.action_types = {1: "Звонок", 2: "Встреча", 3: "Письмо"}
    account.fields = dict(FIELDS)
    for number, (name, steps) in FUNNELS.items():
        account.funnels[number] = name
        account.steps[number] = dict(steps)


def _people_and_dates(account: Account, now: float) -> None:
    for client, name, bday in ((1, "Марина Вектор", "1985-04-12"), (2, "Андрей Лапин", None)):
        number = account.next("contact")
        empty = dict.fromkeys(("phone_1", "email_1", "position", "comment"))
        account.contacts[number] = {"id": number, "client_id": client, "name": name, "bday": bday, **empty}
    for hours, name in ((24, "Замер на Лесной"), (48, "Планёрка")):
        number = account.next("task")
        row = {"id": number, "category": "tasks", "name": name, "description": "", "all_day": "0"}
        times = {"start": moment(now + hours * 3600), "end": moment(now + (hours + 1) * 3600)}
        account.calendar.append({**row, **times, "project_id": number})


def _project(account: Account, at: float, index: int) -> None:
    steps = [step for _, steps in FUNNELS.values() for step in steps]
    contract = moment(at)[:10] if index % 3 == 0 else None
    project = console.add_project(
        account,
        at,
        step_id=steps[index % len(steps)],
        user_id=list(USERS)[index % len(USERS)],
        price=10_000 * (index + 1),
        client_id=index % len(CLIENTS) + 1,
        contract_date=contract,
        contract_number=f"Д-{index + 1}" if contract else None,
        participants_user_id=[2] if index % 2 else [],
        participants_group_id=[3] if index % 4 == 0 else [],
    )
    if index % 2:
        console.add_action(account, at, project.id, type_id=index % 3 + 1, comment="Созвонились")
    if index % 3 == 0:
        console.add_payment(account, at, project.id, sum=5000)
        console.add_good(account, at, project.id, 501, price=5000)
    if index % 5 == 0:
        console.add_checklist(account, at, project.id, "Подготовка", done="1")

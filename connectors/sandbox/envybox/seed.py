"""What a new account comes with: people, kinds of inbox, funnels, service and custom fields."""

from __future__ import annotations

from connectors.sandbox.envybox.model import (
    CLIENT,
    CUSTOM,
    DEAL,
    IN_WORK,
    LEAD,
    LOST,
    NEW,
    SERVICE,
    WON,
    Crm,
    Employee,
    InboxType,
    Input,
    Pipeline,
    Stage,
)

PEOPLE = (
    ("Ольга", "Смирнова", "Менеджер"),
    ("Пётр", "Иванов", "Старший менеджер"),
    ("Анна", "Ли", "Оператор"),
)
INBOXES = ("Форма на сайте", "Квиз", "Звонок")
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
SERVICE_INPUTS: dict[int, tuple[tuple[int, str, str], ...]] = {
    LEAD: (
        (1, "name", "Имя"),
        (2, "phone", "Телефон"),
        (3, "email", "E-mail"),
        (4, "comment", "Примечание"),
        *((5 + index, name, name) for index, name in enumerate(UTM)),
        (10, "ip_place_id", "Регион клиента"),
        (11, "google_client_id", "Google Client ID"),
        (12, "yandex_client_id", "Yandex Client ID"),
        (13, "timezone", "Часовой пояс"),
    ),
    CLIENT: (
        (1001, "name", "Имя клиента"),
        (1010, "ip_place_id", "Регион"),
        (1011, "timezone", "Часовой пояс"),
    ),
    DEAL: (
        (2001, "name", "Название сделки"),
        *((2005 + index, name, name) for index, name in enumerate(UTM)),
        (20012, "google_client_id", "Google Client ID"),
        (2012, "yandex_client_id", "Yandex Client ID"),
    ),
}
# element, name, type_id (2 text, 1 number, 3 list, 9 money; the rest is unreadable in the document)
CUSTOM_INPUTS = (
    (LEAD, "Стиль", 2),
    (LEAD, "Площадь", 1),
    (LEAD, "Внешний номер", 2),
    (CLIENT, "Город", 2),
    (DEAL, "Площадь объекта", 1),
    (DEAL, "Бюджет", 9),
    (DEAL, "Отделка", 3),
    (DEAL, "Комментарий замерщика", 2),
)
FUNNELS: tuple[tuple[str, bool, bool, tuple[tuple[str, int], ...]], ...] = (
    (
        "Продажи",
        True,
        True,
        (("Новая", NEW), ("Переговоры", IN_WORK), ("Успешно", WON), ("Провалена", LOST)),
    ),
    (
        "Квизы",
        False,
        True,
        (("Новый ответ", NEW), ("Дозвон", IN_WORK), ("Замер", IN_WORK), ("Оплачено", WON), ("Отказ", LOST)),
    ),
    ("Сервис", False, False, (("Заявка", NEW), ("Ремонт", IN_WORK), ("Сдано", WON))),
)
LEAD_STAGES = ("Новый", "Новый клиент", "Существующий клиент")
COLORS = ("rgb(35, 148, 254)", "rgb(255,186,0)", "rgb(120, 90, 200)", "rgb(72, 187, 120)", "rgb(229, 62, 62)")


def seed(crm: Crm) -> None:
    for name, surname, profession in PEOPLE:
        number = crm.new_id()
        person = Employee(number, crm.user_id, name, surname, f"{number}@example.ru", profession)
        crm.employees[number] = person
    for name in INBOXES:
        number = crm.new_id()
        crm.inbox_types[number] = InboxType(number, name)
    _funnels(crm)
    _inputs(crm)
    for name in ("vip", "квиз"):
        crm.tag_id(name)


def _funnels(crm: Crm) -> None:
    leads = Pipeline(crm.new_id(), LEAD, "Заявки", primary=True)
    _stages(crm, leads, [(name, index + 1) for index, name in enumerate(LEAD_STAGES)])
    for name, primary, manual, stages in FUNNELS:
        _stages(crm, Pipeline(crm.new_id(), DEAL, name, primary, manual), list(stages))


def _stages(crm: Crm, line: Pipeline, stages: list[tuple[str, int]]) -> None:
    crm.pipelines[line.id] = line
    for index, (name, status) in enumerate(stages):
        number = crm.new_id()
        line.stages[number] = Stage(number, name, status, index + 1, COLORS[index % len(COLORS)])


def _inputs(crm: Crm) -> None:
    for element, rows in SERVICE_INPUTS.items():
        crm.inputs[element, CUSTOM] = {}
        crm.inputs[element, SERVICE] = {
            number: Input(number, element, name, 2, name_id, SERVICE) for number, name_id, name in rows
        }
    for element, name, type_id in CUSTOM_INPUTS:
        add_input(crm, element, name, type_id)
    addition = crm.input("Бюджет")
    addition.addon, addition.use_in_pipeline = "₽", True


def add_input(crm: Crm, element: int, name: str, type_id: int = 2) -> Input:
    made = Input(crm.new_id(), element, name, type_id)
    crm.inputs[element, CUSTOM][made.id] = made
    return made

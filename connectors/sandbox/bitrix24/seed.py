"""A believable Russian portal: people, pipelines, dictionaries, user fields of every type (3, 4.5)."""

from __future__ import annotations

from connectors.sandbox.bitrix24.model import Category, Option, Portal, Status, User, UserField

PEOPLE = (  # name, patronymic, last name, e-mail, position, active, admin, type
    ("Анна", "Сергеевна", "Смирнова", "anna@demo.example", "Руководитель", True, True, "employee"),
    ("Игорь", "", "Кузнецов", "igor@demo.example", "Менеджер", True, False, "employee"),
    ("Мария", "Олеговна", "Волкова", "maria@demo.example", "Менеджер", True, False, "employee"),
    ("Олег", "", "Петров", "oleg@demo.example", "Менеджер", False, False, "employee"),
    ("Открытая линия", "", "", "", "", True, False, "bot"),
)
LEAD_STAGES = (
    ("NEW", "Не обработан", None), ("IN_PROCESS", "В работе", None), ("PROCESSED", "Обработан", None),
    ("CONVERTED", "Качественный лид", "S"), ("JUNK", "Некачественный лид", "F"),
)  # fmt: skip
DEAL_STAGES = (
    ("NEW", "Новая", None), ("PREPARATION", "Подготовка документов", None),
    ("PREPAYMENT_INVOICE", "Счёт на предоплату", None), ("EXECUTING", "В работе", None),
    ("FINAL_INVOICE", "Финальный счёт", None), ("WON", "Сделка успешна", "S"),
    ("LOSE", "Сделка провалена", "F"), ("APOLOGY", "Анализ причины провала", "F"),
)  # fmt: skip
QUIZ_STAGES = (
    ("NEW", "Новая заявка", None), ("UC_A1B2C3", "Дозвон", None), ("UC_D4E5F6", "Замер назначен", None),
    ("WON", "Сделка успешна", "S"), ("LOSE", "Сделка провалена", "F"),
)  # fmt: skip
INVOICE_STAGES = (
    ("N", "Новый", None),
    ("S", "Отправлен", None),
    ("P", "Оплачен", "S"),
    ("D", "Отклонён", "F"),
)
DICTIONARIES = {
    "SOURCE": (
        ("CALL", "Звонок"), ("EMAIL", "Электронная почта"), ("WEB", "Веб-сайт"), ("ADVERTISING", "Реклама"),
        ("PARTNER", "Существующий клиент"), ("RECOMMENDATION", "По рекомендации"),
        ("TRADE_SHOW", "Выставка"), ("WEBFORM", "CRM-форма"), ("CALLBACK", "Обратный звонок"),
        ("RC_GENERATOR", "Генератор продаж"), ("STORE", "Интернет-магазин"), ("OTHER", "Другое"),
    ),
    "DEAL_TYPE": (("SALE", "Продажа"), ("COMPLEX", "Комплексная продажа"), ("GOODS", "Продажа товара"),
                  ("SERVICES", "Услуги"), ("SERVICE", "Сервисное обслуживание")),
    "CONTACT_TYPE": (("CLIENT", "Клиенты"), ("SUPPLIER", "Поставщики"), ("PARTNER", "Партнёры")),
    "COMPANY_TYPE": (("CUSTOMER", "Клиент"), ("SUPPLIER", "Поставщик"), ("PARTNER", "Партнёр")),
    "EMPLOYEES": (("EMPLOYEES_1", "менее 50"), ("EMPLOYEES_2", "50-250")),
    "INDUSTRY": (("IT", "Информационные технологии"), ("CONSTRUCTION", "Строительство")),
    "HONORIFIC": (("HNR_RU_1", "г-н"), ("HNR_RU_2", "г-жа")),
}  # fmt: skip
QUOTE_STAGES = (("DRAFT", "Новое", None), ("SENT", "Отправлено", None), ("APPROVED", "Принято", "S"))
COLOURS = {None: "#39A8EF", "S": "#7BD500", "F": "#FF5752"}
TYPED: tuple[tuple[str, str, bool, tuple[str, ...], dict[str, object]], ...] = (
    # label, type, multiple, options, settings
    ("Комментарий к заявке", "string", False, (), {"ROWS": 3}),
    ("Город", "string", False, (), {}),
    ("Площадь", "integer", False, (), {}),
    ("Высота потолков", "double", False, (), {"PRECISION": 2}),
    ("Нужна доставка", "boolean", False, (), {"DISPLAY": "CHECKBOX"}),
    ("Тип ремонта", "enumeration", False, ("Косметический", "Капитальный", "Дизайнерский"),
     {"DISPLAY": "LIST"}),
    ("Комнаты", "enumeration", True, ("Кухня", "Спальня", "Ванная", "Гостиная"), {"DISPLAY": "LIST"}),
    ("Теги", "string", True, (), {}),
    ("Дата замера", "date", False, (), {}),
    ("Время звонка", "datetime", False, (), {}),
    ("Бюджет", "money", False, (), {}),
    ("Ссылка на результат", "url", False, (), {}),
    ("Адрес объекта", "address", False, (), {}),
    ("План квартиры", "file", False, (), {}),
    ("Куратор", "employee", False, (), {}),
    ("Второй источник", "crm_status", False, (), {"ENTITY_TYPE": "SOURCE"}),
    ("Раздел каталога", "iblock_section", False, (), {"IBLOCK_ID": 14}),
    ("Товар", "iblock_element", False, (), {"IBLOCK_ID": 14}),
    ("Связанная сделка", "crm", False, (), {"DEAL": "Y"}),
    ("Связанные записи", "crm", True, (), {"CONTACT": "Y", "COMPANY": "Y", "DEAL": "Y", "LEAD": "Y"}),
    ("Бронирование", "resourcebooking", True, (), {}),
    ("Теги квиза", "rest_17_crm_pena_tag", True, (), {}),
)  # fmt: skip
FIRST_IDS = {"status": 101, "field": 581, "option": 301, "lead": 11, "deal": 21, "contact": 31, "company": 41}


def seed(portal: Portal, client_id: str, *, extra_fields: int = 0, pipelines: int = 2) -> Portal:
    for what, first in FIRST_IDS.items():
        portal.start_counting(what, first)
    _people(portal)
    _stages(portal, "STATUS", "", LEAD_STAGES, None)
    add_pipeline(portal, 0, "Общая", DEAL_STAGES)
    for number in range(pipelines - 1):
        add_pipeline(portal, 3 + 2 * number, "Квизы" if number == 0 else f"Квизы {number + 1}", QUIZ_STAGES)
    portal.categories[31][7] = Category(7, "Общая", 31, 300, is_default=True)
    _stages(portal, "SMART_INVOICE_STAGE_7", "DT31_7:", INVOICE_STAGES, 7)
    _stages(portal, "QUOTE_STATUS", "", QUOTE_STAGES, None)
    for entity, rows in DICTIONARIES.items():
        _dictionary(portal, entity, rows)
    for owner in portal.fields:
        _user_fields(portal, owner, client_id)
    for number in range(extra_fields):
        add_field(portal, "CRM_DEAL", f"Вопрос {number + 1}", "string")
    return portal


def _people(portal: Portal) -> None:
    for name, second, last, email, position, active, admin, kind in PEOPLE:
        user = User(portal.next("user"), name, last, email, second, None, position or None)
        user.active, user.admin, user.user_type = active, admin, kind
        portal.users[user.id] = user


def add_pipeline(
    portal: Portal, number: int, name: str, stages: tuple[tuple[str, str, str | None], ...] = QUIZ_STAGES
) -> Category:
    """Stage codes of pipeline 0 are plain, those of pipeline n have the prefix C{n}: (3.3)."""
    default = number == 0
    made = Category(number, name, 2, 300 if default else 500, default)
    portal.categories[2][number] = made
    entity, prefix = ("DEAL_STAGE", "") if default else (f"DEAL_STAGE_{number}", f"C{number}:")
    _stages(portal, entity, prefix, stages, number)
    return made


def _stages(
    portal: Portal,
    entity: str,
    prefix: str,
    stages: tuple[tuple[str, str, str | None], ...],
    category: int | None,
) -> None:
    for index, (code, name, semantics) in enumerate(stages):
        row = Status(portal.next("status"), entity, prefix + code, name, 10 * (index + 1))
        row.category_id, row.semantics, row.color = category, semantics, COLOURS[semantics]
        row.system = not code.startswith("UC_")
        row.name_init = name if row.system else ""
        portal.statuses.add(row)


def _dictionary(portal: Portal, entity: str, rows: tuple[tuple[str, str], ...]) -> None:
    for index, (code, name) in enumerate(rows):
        row = Status(portal.next("status"), entity, code, name, 10 * (index + 1), name_init=name)
        row.system = True
        portal.statuses.add(row)


def _user_fields(portal: Portal, entity_id: str, client_id: str) -> None:
    full = entity_id in ("CRM_LEAD", "CRM_DEAL", "CRM_CONTACT", "CRM_COMPANY")
    for label, kind, multiple, options, settings in TYPED if full else TYPED[:6]:
        made = add_field(portal, entity_id, label, kind, multiple, options, dict(settings))
        made.owner = client_id if kind.startswith("rest_") else ""


def add_field(
    portal: Portal,
    entity_id: str,
    label: str,
    kind: str,
    multiple: bool = False,
    options: tuple[str, ...] = (),
    settings: dict[str, object] | None = None,
) -> UserField:
    number = portal.next("field")
    made = UserField(number, entity_id, f"UF_CRM_{1790000000 + number}", kind, label, multiple)
    made.settings = settings or {}
    made.options = [
        Option(portal.next("option"), value, 10 * (index + 1)) for index, value in enumerate(options)
    ]
    portal.fields[entity_id][made.name] = made
    return made

"""A believable Russian demo account: people, pipelines, every type of field, UTM marks, tags."""

from __future__ import annotations

from connectors.sandbox.amocrm.model import Account, Enum, Field, Ids, Pipeline, Status, Tag, User

PEOPLE = (  # name, e-mail, admin, active
    ("Анна Смирнова", "anna@demo.example", True, True),
    ("Игорь Кузнецов", "igor@demo.example", False, True),
    ("Мария Волкова", "maria@demo.example", False, True),
    ("Олег Петров (уволен)", "oleg@demo.example", False, False),
)
STAGES = {
    "Воронка": ("Первичный контакт", "Переговоры", "Принимают решение", "Согласование договора"),
    "Квизы": ("Новая заявка", "Дозвон", "Замер назначен", "Смета отправлена"),
    "Сервис": ("Обращение", "В работе", "Ждём клиента"),
}
COLOURS = ("#99ccff", "#ffff99", "#ffcc66", "#ffcccc")
PHONE_KINDS = ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER")
EMAIL_KINDS = ("WORK", "PRIV", "OTHER")
IM_KINDS = ("SKYPE", "ICQ", "JABBER", "GTALK", "MSN", "OTHER")
TRACKING = (
    "UTM_CONTENT", "UTM_MEDIUM", "UTM_CAMPAIGN", "UTM_SOURCE", "UTM_TERM", "UTM_REFERRER", "ROISTAT",
    "REFERRER", "OPENSTAT_SERVICE", "OPENSTAT_CAMPAIGN", "OPENSTAT_AD", "OPENSTAT_SOURCE", "FROM",
    "GCLIENTID", "_YM_UID", "_YM_COUNTER", "GCLID", "YCLID", "FBCLID",
)  # fmt: skip
TYPED = (  # name, type, options; the last column: kinds that don't have it
    ("Комментарий к заявке", "textarea", (), ""),
    ("Город", "text", (), ""),
    ("Площадь, м²", "numeric", (), ""),
    ("Нужна доставка", "checkbox", (), ""),
    ("Ссылка на результат", "url", (), ""),
    ("Тип ремонта", "select", ("Косметический", "Капитальный", "Дизайнерский"), ""),
    ("Комнаты", "multiselect", ("Кухня", "Спальня", "Ванная", "Гостиная"), ""),
    ("Как удобнее связаться", "radiobutton", ("Звонок", "Telegram", "WhatsApp"), ""),
    ("Дата замера", "date", (), ""),
    ("Время звонка", "date_time", (), ""),
    ("Короткий адрес", "streetaddress", (), ""),
    ("Бюджет", "monetary", (), ""),
    ("Файл с планом", "file", (), ""),
    ("Адрес объекта", "smart_address", (), "customers"),
    ("День рождения", "birthday", (), "customers"),
    ("Реквизиты", "legal_entity", (), "customers"),
)
TAGS = {
    "leads": ("квиз", "горячий", "повторное обращение"),
    "contacts": ("квиз", "физлицо"),
    "companies": ("подрядчик",),
    "customers": ("постоянный",),
}
REASONS = ("Слишком дорого", "Купили у других", "Не удалось связаться")


def seed(account: Account, ids: Ids, *, extra_fields: int = 0, pipelines: int = 2) -> Account:
    _people(account, ids)
    for sort, (name, stages) in enumerate(list(STAGES.items())[:pipelines]):
        add_pipeline(account, ids, name, stages, is_main=sort == 0)
    account.loss_reasons = {ids.next("reasons"): name for name in REASONS}
    _shared_fields(account, ids)
    _typed_fields(account, ids)
    for code in TRACKING:
        _tracking(account, ids, code)
    for number in range(extra_fields):
        account.fields["leads"].add(Field(ids.next("fields"), "leads", f"Вопрос {number + 1}", "text"))
    for kind, names in TAGS.items():
        for name in names:
            account.tags[kind].add(Tag(ids.next("tags"), name))
    return account


def _people(account: Account, ids: Ids) -> None:
    role = ids.next("roles")
    account.roles[role] = "Менеджер"
    for name, email, admin, active in PEOPLE:
        user = User(ids.next("users"), name, email, admin, active)
        if not admin:
            user.role_id, user.group_id = role, 0
        account.users[user.id] = user


def add_pipeline(
    account: Account, ids: Ids, name: str, stages: tuple[str, ...], *, is_main: bool = False
) -> Pipeline:
    """Incoming (type 1, own id), the stages, and the ends 142 and 143 that every pipeline has."""
    incoming = Status(ids.next("statuses"), "Неразобранное", 10, 1, "#c1c1c1", is_editable=False)
    middle = [
        Status(ids.next("statuses"), stage, 20 + 10 * index, color=COLOURS[index % len(COLOURS)])
        for index, stage in enumerate(stages)
    ]
    ends = [
        Status(142, "Успешно реализовано", 10000, color="#CCFF66", is_editable=False),
        Status(143, "Закрыто и не реализовано", 11000, color="#D5D8DB", is_editable=False),
    ]
    sort = len(account.pipelines) + 1
    pipeline = Pipeline(
        ids.next("pipelines"), name, sort, is_main=is_main, statuses=[incoming, *middle, *ends]
    )
    account.pipelines[pipeline.id] = pipeline
    return pipeline


def _enums(ids: Ids, values: tuple[str, ...], *, coded: bool = False) -> list[Enum] | None:
    made = [Enum(ids.next("enums"), value, index + 1) for index, value in enumerate(values)]
    for index, enum in enumerate(made if coded else ()):
        enum.code = f"option_{index + 1}"
    return made or None


def _shared_fields(account: Account, ids: Ids) -> None:
    """PHONE and EMAIL carry one id for contacts and companies (reference 3.4)."""
    shared = (("Телефон", "PHONE", PHONE_KINDS), ("Email", "EMAIL", EMAIL_KINDS))
    for sort, (name, code, kinds) in enumerate(shared):
        number, enums = ids.next("fields"), _enums(ids, kinds)
        for kind in ("contacts", "companies"):
            new = Field(number, kind, name, "multitext", code, 4 + 2 * sort, enums)
            new.is_deletable, new.is_predefined = False, True
            account.fields[kind].add(new)
    _predefined(account, ids, "contacts", "Должность", "text", "POSITION")
    _predefined(account, ids, "contacts", "Мгн. сообщения", "multitext", "IM", IM_KINDS)
    _predefined(account, ids, "contacts", "Пользовательское соглашение", "checkbox", "USER_AGREEMENT")
    _predefined(account, ids, "companies", "Web", "url", "WEB")
    _predefined(account, ids, "companies", "Адрес", "textarea", "ADDRESS")


def _predefined(
    account: Account, ids: Ids, kind: str, name: str, field_type: str, code: str, enums: tuple[str, ...] = ()
) -> None:
    new = Field(ids.next("fields"), kind, name, field_type, code, 10, _enums(ids, enums))
    new.is_deletable, new.is_predefined = False, True
    account.fields[kind].add(new)


def _typed_fields(account: Account, ids: Ids) -> None:
    for kind, fields in account.fields.items():
        for sort, (name, field_type, options, missing) in enumerate(TYPED):
            if kind == missing:
                continue
            enums = _enums(ids, options, coded=True)
            new = Field(ids.next("fields"), kind, name, field_type, None, 500 + 10 * sort, enums)
            if field_type == "monetary":
                new.currency = account.currency
            fields.add(new)


def _tracking(account: Account, ids: Ids, code: str) -> None:
    new = Field(ids.next("fields"), "leads", code.lower(), "tracking_data", code, 5, group_id="statistic")
    new.is_deletable = False
    account.fields["leads"].add(new)

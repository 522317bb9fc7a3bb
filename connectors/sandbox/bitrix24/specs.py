"""The standard fields of CRM records, and how classic and universal methods name them (reference 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

TYPES = {"lead": 1, "deal": 2, "contact": 3, "company": 4, "quote": 7, "smart_invoice": 31}
KINDS = {number: kind for kind, number in TYPES.items()}
MULTIFIELDS = ("PHONE", "EMAIL", "WEB", "IM", "LINK")


@dataclass(frozen=True)
class Spec:
    """flags: r read-only, i immutable, x only in universal methods and in writing, u unset by default."""

    name: str
    type: str
    status: str = ""
    flags: str = ""
    multiple: bool = False
    title: str = ""
    settings: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def is_user_field(self) -> bool:
        return self.name.startswith("UF_")


COMMON = """ID:integer!r ASSIGNED_BY_ID:user CREATED_BY_ID:user!r MODIFY_BY_ID:user!r DATE_CREATE:datetime!r
DATE_MODIFY:datetime!r OPENED:char COMMENTS:string SOURCE_DESCRIPTION:string ORIGINATOR_ID:string
ORIGIN_ID:string UTM_SOURCE:string UTM_MEDIUM:string UTM_CAMPAIGN:string UTM_CONTENT:string UTM_TERM:string"""
PERSON = """HONORIFIC:crm_status=HONORIFIC NAME:string SECOND_NAME:string LAST_NAME:string
BIRTHDATE:date POST:string"""
MONEY = "OPPORTUNITY:double CURRENCY_ID:crm_currency IS_MANUAL_OPPORTUNITY:char"
SOURCE = "SOURCE_ID:crm_status=SOURCE"
HAS = "HAS_PHONE:char!r HAS_EMAIL:char!r"
PEOPLE = "CONTACT_ID:crm_contact CONTACT_IDS:crm_contact[]!x COMPANY_ID:crm_company"
SPECS = {
    "lead": f"""{COMMON} {PERSON} {MONEY} {SOURCE} {HAS} {PEOPLE} TITLE:string COMPANY_TITLE:string
STATUS_ID:crm_status=STATUS STATUS_DESCRIPTION:string STATUS_SEMANTIC_ID:string!r ADDRESS:string
IS_RETURN_CUSTOMER:char!r DATE_CLOSED:datetime!r""",
    "deal": f"""{COMMON} {MONEY} {SOURCE} {PEOPLE} TITLE:string TYPE_ID:crm_status=DEAL_TYPE
CATEGORY_ID:crm_category!i STAGE_ID:crm_status=DEAL_STAGE STAGE_SEMANTIC_ID:string!r IS_NEW:char!r
CLOSED:char BEGINDATE:date CLOSEDATE:date ADDITIONAL_INFO:string LEAD_ID:crm_lead!r
IS_RETURN_CUSTOMER:char!r PROBABILITY:integer""",
    "contact": f"""{COMMON} {PERSON} {SOURCE} {HAS} TYPE_ID:crm_status=CONTACT_TYPE COMPANY_ID:crm_company
COMPANY_IDS:crm_company[]!x ADDRESS:string ORIGIN_VERSION:string EXPORT:char LEAD_ID:crm_lead!r""",
    "company": f"""{COMMON} {HAS} TITLE:string COMPANY_TYPE:crm_status=COMPANY_TYPE
INDUSTRY:crm_status=INDUSTRY EMPLOYEES:crm_status=EMPLOYEES CURRENCY_ID:crm_currency REVENUE:double
ORIGIN_VERSION:string ADDRESS:string LEAD_ID:crm_lead!r""",
    "quote": f"{COMMON} {MONEY} {PEOPLE} TITLE:string STATUS_ID:crm_status=QUOTE_STATUS DEAL_ID:crm_deal",
    "smart_invoice": f"""{COMMON} {MONEY} {PEOPLE} {SOURCE} TITLE:string CATEGORY_ID:crm_category
STAGE_ID:crm_status=SMART_INVOICE_STAGE_7 XML_ID:string""",
}
_LINE = re.compile(r"(\w+):(\w+)(\[\])?(?:=(\w+))?(?:!(\w+))?")


@cache
def standard(kind: str) -> dict[str, Spec]:
    """Fields by their classic name."""
    found = {}
    for name, kind_of_value, multiple, status, flags in _LINE.findall(SPECS[kind]):
        found[name] = Spec(name, kind_of_value, status, flags, bool(multiple), TITLES.get(name, name))
    return found


def has_multifields(kind: str) -> bool:
    return kind in ("lead", "contact", "company")


TITLES = {
    "TITLE": "Название", "NAME": "Имя", "LAST_NAME": "Фамилия", "SECOND_NAME": "Отчество",
    "COMMENTS": "Комментарий", "STAGE_ID": "Стадия сделки", "STATUS_ID": "Стадия", "SOURCE_ID": "Источник",
    "ASSIGNED_BY_ID": "Ответственный", "OPPORTUNITY": "Сумма", "CURRENCY_ID": "Валюта", "TYPE_ID": "Тип",
    "CATEGORY_ID": "Воронка", "COMPANY_ID": "Компания", "CONTACT_ID": "Контакт", "PHONE": "Телефон",
}  # fmt: skip

# -- camelCase ----------------------------------------------------------------------------------------

RENAMED = {
    "DATE_CREATE": "createdTime", "DATE_MODIFY": "updatedTime", "CREATED_BY_ID": "createdBy",
    "MODIFY_BY_ID": "updatedBy", "DATE_CLOSED": "closedTime",
}  # fmt: skip


def camel(name: str, kind: str = "") -> str:
    """A lead's stage is stageId; codes of user fields turn out irregular (3.4)."""
    if kind in ("lead", "quote") and name == "STATUS_ID":
        return "stageId"
    if name.startswith("UF_CRM_"):
        return _camel_user_field(name.removeprefix("UF_CRM_"))
    return RENAMED.get(name) or _words(name.split("_"))


def _words(parts: list[str]) -> str:
    return parts[0].lower() + "".join(part.capitalize() for part in parts[1:])


def _camel_user_field(rest: str) -> str:
    """UF_CRM_3_1747 is ufCrm3_1747, UF_CRM_17473 is ufCrm_17473."""
    if rest.isdigit():
        return f"ufCrm_{rest}"
    pieces = "ufCrm"
    previous_digit = False
    for part in rest.split("_"):
        digit = part.isdigit()
        pieces += ("_" if digit and previous_digit else "") + part.capitalize()
        previous_digit = digit
    return pieces

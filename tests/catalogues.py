"""The catalogues of translations: read from the code, brought up to date, compiled. ``make messages``.

Babel does what Django's commands leave to GNU gettext, which a fresh machine does not have. The compiled
files are committed, so that running the service needs neither; ``tests/test_catalogues.py`` compares.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django.conf.locale
import unfold
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract, extract_python
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
SITE_PACKAGES = Path(django.__file__).parents[1]
LANGUAGE = "ru"
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # the same texts make the same file
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "say": None,
    "say_many": (1, 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
MESSAGE = {"message": None}  # connectors.messages: kept, and translated when it is read
# What the theme says is translated nowhere else, but for what Django's own catalogues have.
BORROWED = Path(unfold.__file__).parent
# Django's Russian of these has a verb of one gender for all nouns, and quotes of no language; that of axes
# calls a failed log-in in another way than our menu. The list of who did what has labels of a person's form
# with a capital, and Django knows them without.
SAID_ANEW = (
    "The {name} “{obj}” was added successfully.",
    "The {name} “{obj}” was added successfully. You may add another {name} below.",
    "The {name} “{obj}” was changed successfully.",
    "The {name} “{obj}” was changed successfully. You may add another {name} below.",
    "The {name} “{obj}” was changed successfully. You may edit it again below.",
    "The %(name)s “%(obj)s” was deleted successfully.",
    "You may edit it again below.",
    "access attempt",
    "access attempts",
    "Attempt Time",
    "Failed Logins",
    "IP Address",
    "Active",
    "First name",
    "Last name",
    "Staff status",
    "Superuser status",
    "User permissions",
)
TRANSLATED_BY_DJANGO = ("django/conf", "django/contrib/admin", "django/contrib/auth")


@dataclass(frozen=True, slots=True)
class Domain:
    """``folders`` of the repository are read; the catalogue stands in ``home``.

    ``stored``: rows have these texts, so that the catalogue keeps what the code says no longer.
    """

    name: str
    home: str
    folders: tuple[str, ...]
    keywords: Mapping[str, Any]
    borrows: bool = False
    stored: bool = False

    @property
    def po(self) -> Path:
        return ROOT / self.home / LANGUAGE / "LC_MESSAGES" / f"{self.name}.po"

    @property
    def mo(self) -> Path:
        return self.po.with_suffix(".mo")


DOMAINS = (
    Domain(
        "django", "locale", ("config", "accounts", "crm_cache", "rules", "templates"), KEYWORDS, borrows=True
    ),
    Domain(
        "connectors",
        "connectors/locale",
        ("connectors", "accounts", "crm_cache", "rules"),
        MESSAGE,
        stored=True,
    ),
)


def read(domain: Domain) -> Catalog:
    """What the code says now, untranslated, in the order of the texts."""
    found = Catalog(domain=domain.name)
    for folder in domain.folders:
        for path in sources(ROOT / folder):
            add(found, path, domain.keywords)
    if domain.borrows:
        borrowed, known = Catalog(), known_to_django()
        for path in sources(BORROWED):
            if "contrib" not in path.parts or "filters" in path.parts:  # the only one of its apps that we use
                add(borrowed, path, KEYWORDS)
        for text in SAID_ANEW:
            found.add(text)
        for message in borrowed:
            if message.id and message.id not in known:
                found.add(message.id, context=message.context)
    return found


def sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.suffix in (".py", ".html") and not {"migrations", "sandbox", "demo", "management"} & set(
            parts
        ):
            yield path


def add(found: Catalog, path: Path, keywords: Mapping[str, Any]) -> None:
    source = path.read_text()
    if path.suffix == ".html":
        source = f"({templatize(source)}\n)"  # in brackets no indentation means anything
    try:
        messages = list(extract(extract_python, io.BytesIO(source.encode()), keywords))
    except tokenize.TokenError as exc:
        raise ValueError(f"{path} can't be read: {exc}") from exc
    for _, message, _, context in messages:
        found.add(message, context=context)


def known_to_django() -> set[str]:
    known = set()
    for app in TRANSLATED_BY_DJANGO:
        with (SITE_PACKAGES / app / "locale" / LANGUAGE / "LC_MESSAGES" / "django.mo").open("rb") as file:
            known |= {message.id for message in read_mo(file) if isinstance(message.id, str)}
    return known


def written(domain: Domain) -> Catalog:
    """What the .po file has."""
    if not domain.po.exists():
        return Catalog(locale=LANGUAGE, domain=domain.name)
    with domain.po.open("rb") as file:
        return read_po(file, locale=LANGUAGE, domain=domain.name)


def updated(domain: Domain) -> Catalog:
    """The written translations of what the code says now; new texts have none."""
    old, new = written(domain), Catalog(locale=LANGUAGE, domain=domain.name, project="quiz-crm", fuzzy=False)
    new.creation_date = new.revision_date = NO_DATE
    new.header_comment = f"# Russian texts of {domain.name}. Brought up to date by `make messages`."
    for message in read(domain):
        if message.id:
            known = old.get(message.id, message.context)
            new.add(
                message.id,
                known.string if known else "",
                flags=known.flags if known else (),
                context=message.context,
            )
    for message in old if domain.stored else ():
        if message.id and message.id not in new:
            new.add(message.id, message.string, flags=message.flags, user_comments=[NO_LONGER_SAID])
    return new


NO_LONGER_SAID = "Stored rows may have it."


def po_bytes(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalog, width=100, no_location=True, sort_output=True, ignore_obsolete=True)
    return out.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def untranslated(catalog: Catalog) -> list[Message]:
    """Without a Russian text, with a doubtful one, or without one of its plural forms."""
    return [
        message
        for message in catalog
        if message.id
        and (
            message.fuzzy
            or not all(message.string if isinstance(message.string, tuple) else (message.string,))
        )
    ]


def main() -> None:
    for domain in DOMAINS:
        catalog = updated(domain)
        domain.po.parent.mkdir(parents=True, exist_ok=True)
        domain.po.write_bytes(po_bytes(catalog))
        domain.mo.write_bytes(mo_bytes(catalog))
        missing = untranslated(catalog)
        print(f"{domain.po.relative_to(ROOT)}: {len(catalog)} texts, {len(missing)} without translation")
        for message in missing:
            print(f"  {message.id!r}")


if __name__ == "__main__":
    main()

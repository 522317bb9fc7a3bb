"""One search over everything: whole ids for everybody, people by phone, e-mail or name for operators.

Every way has its index, and none reads more than ``MOST`` rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.contrib.postgres.search import SearchQuery
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.dataclasses import SearchResult

from accounts.models import Account
from accounts.texts import to_the_minute
from connectors.contact import full_name
from rules.admin.links import page
from rules.mapping.person import contact_keys
from rules.models import Answer, Delivery, Rule
from rules.models.answer import ContactWords

MOST = 50
MOST_OF_ONE = 10_000  # answers of one person
LONGEST = 200  # of a term; nothing that is looked for is longer
DIGITS = re.compile(r"[0-9]{1,18}")
WORDS = re.compile(r"\w+")
FEWEST_DIGITS = 7  # in what may be a phone


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """For the search box of every page. The theme hands over the term in lower case, and ids have cases."""
    term = request.GET.get("s", term).replace("\x00", "").strip()[:LONGEST]
    if not term or not request.user.has_perm("rules.view_delivery"):
        return []
    personal = request.user.has_perm("rules.change_delivery")
    return [*_deliveries(term, personal), *_rules(term), *_accounts(term)]


def deliveries_found(term: str, personal: bool) -> list[int]:
    """Keys of deliveries by their number, external id, lead id or answer id; with ``personal`` else by who
    answered."""
    rows = Delivery.objects.order_by().values_list("pk", flat=True)
    number = int(term) if DIGITS.fullmatch(term) else 0
    found = rows.filter(uid=term).union(
        rows.filter(pk=number),
        rows.filter(remote_id=term)[:MOST],
        rows.filter(answer__answer_id=term)[:MOST],
        all=True,
    )
    if not (keys := set(found)) and personal:
        keys = {key for people in _people(term) for key in rows.filter(answer__in=list(people))[:MOST]}
    return sorted(keys, reverse=True)[:MOST]


def _people(term: str) -> Iterator[Iterable[int]]:
    """Keys of answers of whoever has this phone, e-mail or name; the beginning of a word is enough of it.

    Of a phone all are read and sorted here: asked for the newest, PostgreSQL would go through the table.
    """
    if "@" in term or len(re.findall(r"[0-9]", term)) >= FEWEST_DIGITS:
        kind = "email" if "@" in term else "phone"
        if keys := contact_keys({kind: term}, settings.PHONE_REGION):
            answers = Answer.objects.filter(contact_keys__overlap=keys).values_list("pk", flat=True)
            yield sorted(answers[:MOST_OF_ONE], reverse=True)[:MOST]
    elif (words := WORDS.findall(term)) and not re.search(r"[0-9]", term):
        query = " & ".join(f"{word.lower()}:*" for word in words)
        yield (
            Answer.objects.annotate(words=ContactWords("payload"))
            .filter(words=SearchQuery(query, config="simple", search_type="raw"))
            .values_list("pk", flat=True)[:MOST]
        )


def _deliveries(term: str, personal: bool) -> Iterator[SearchResult]:
    rows = Delivery.objects.filter(pk__in=deliveries_found(term, personal)).order_by("-pk")
    for row in rows.select_related("answer", "account").defer("account__facts", "steps", "losses"):
        state = row.get_held_because_display() if row.held_because else row.get_state_display()
        told = (
            to_the_minute(row.created_at),
            _("quiz %(quiz)s") % {"quiz": row.quiz_id},
            str(row.account),
            state,
        )
        yield SearchResult(
            title=(_who(row.answer) if personal else "") or f"{row.answer.answer_id}",
            description=" · ".join(told),
            link=page("rules_delivery", row.pk),
            icon="local_shipping",
        )


def _rules(term: str) -> Iterator[SearchResult]:
    """Of a quiz, by its number."""
    if not DIGITS.fullmatch(term):
        return
    rows = Rule.objects.filter(quiz_id=int(term), deleted=False, account__deleted=False)
    for row in rows.select_related("account").defer("quiz", "account__facts")[:MOST]:
        yield SearchResult(str(row), _("Rule"), page("rules_rule", row.pk), "rule")


def _accounts(term: str) -> Iterator[SearchResult]:
    """Of a quiz account, by its id."""
    for row in Account.objects.filter(account_id=term).defer("facts").order_by("deleted", "crm")[:MOST]:
        yield SearchResult(
            str(row), f"{_('Account')}: {row.get_state_display()}", page("accounts_account", row.pk), "hub"
        )


def _who(answer: Answer) -> str:
    contact = answer.payload.get("contact") if isinstance(answer.payload, dict) else None
    return full_name(contact) if isinstance(contact, dict) else ""

"""Deliveries as a file for whoever calls the people back: who answered, what became of it, and why not.

It is written while it is sent, a portion of rows at a time, so that a file of any length costs no more memory
than a page of the list. Who took it is kept; whom it was about is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from accounts.admin_base import COUNT_TO, done
from accounts.rest.paging import count_to
from accounts.sheet import CONTENT_TYPE, Cell, pieces
from accounts.texts import said, say, to_the_minute
from connectors.contact import EMAIL, PHONE
from connectors.messages import message, to_column
from rules.mapping.person import contact_of, read_person, text_of
from rules.models import Delivery

PORTION = 500  # rows in memory
UNUSED = ("account__facts", "answer__payload", "answer__digest", "contact_keys", "steps", "losses", "remedy")


def why_not(row: Delivery) -> tuple[str, str]:
    """Why it is held, and what was said; once where they say the same."""
    why, words = capfirst(row.get_held_because_display()), said(row.error)
    return (words, "") if why and words.casefold().startswith(why.casefold()) else (why, words)


def download(request: HttpRequest, rows: QuerySet[Delivery]) -> HttpResponseBase:
    """``rows`` as the list shows them, on all of its pages; for those who may read who answered."""
    count = count_to(COUNT_TO, rows)
    if not count:
        return _nothing(request)
    words = message("Downloaded as a file with names, phones and e-mails; deliveries: {count}.", count=count)
    if count == COUNT_TO:
        words = message(
            "Downloaded as a file with names, phones and e-mails; deliveries: {count} or more.", count=count
        )
    LogEntry.objects.create(
        user_id=int(request.user.pk or 0),
        content_type=ContentType.objects.get_for_model(Delivery),
        object_repr=_("a list of deliveries"),
        action_flag=CHANGE,
        change_message=to_column(words),
    )
    file = f'attachment; filename="deliveries_{timezone.localdate():%Y-%m-%d}.csv"'
    written = _written(rows, get_language() or "")
    return StreamingHttpResponse(written, content_type=CONTENT_TYPE, headers={"Content-Disposition": file})


def _nothing(request: HttpRequest) -> HttpResponse:
    told = say("There is nothing to download: the list shows none of these deliveries any more.")
    return done(request, told, request.get_full_path(), False)


def _written(rows: QuerySet[Delivery], language: str) -> Iterator[bytes]:
    """In the reader's language, which the request has left by the time that this is read."""
    with override(language):
        yield from pieces(_head(), _portions(rows))


def _portions(rows: QuerySet[Delivery]) -> Iterator[Iterable[list[Cell]]]:
    """The newest first: by their keys alone, then what is told of them."""
    keys = list(rows.order_by("-pk").values_list("pk", flat=True)[:PORTION])
    while keys:
        told = Delivery.objects.filter(pk__in=keys).select_related("account", "answer").defer(*UNUSED)
        contact = KeyTransform("contact", "answer__payload")
        yield [_cells(row, row.contact) for row in told.annotate(contact=contact).order_by("-pk")]
        keys = list(rows.filter(pk__lt=keys[-1]).order_by("-pk").values_list("pk", flat=True)[:PORTION])


def _head() -> list[str]:
    return [
        capfirst(word)
        for word in (
            _("delivery"), _("quiz"), _("answer id"), _("quiz account"), _("account"), _("Name"),
            _("Phone"), _("E-mail"), _("state"), _("reason"), _("lead"), _("address of the lead"),
            _("came at"), _("delivered at"),
        )
    ]  # fmt: skip


def _cells(row: Delivery, contact: Any) -> list[Cell]:
    form = contact_of({"contact": contact})
    person, _unread = read_person(form, row.account.phone_region)
    safe = row.remote_link.startswith(("https://", "http://"))
    return [
        row.pk,
        row.quiz_id,
        row.answer.answer_id,
        row.owner,
        f"{row.account.get_crm_display()}: {row.account.called}",
        person.name,
        ", ".join(person.phones) or text_of(form, PHONE),
        ", ".join(person.emails) or text_of(form, EMAIL),
        ", ".join(filter(None, (row.get_state_display(), _("test") if row.test else ""))),
        ". ".join(filter(None, why_not(row))),
        row.remote_id,
        row.remote_link if safe else "",
        to_the_minute(row.created_at),
        to_the_minute(row.delivered_at) if row.delivered_at else "",
    ]

"""A lead is brought up to date with a later body of its answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.changes import EDITED
from connectors.draft import LeadDraft, Placement, Receipt
from tests.connectors.cast import again


def updated(journal, first: LeadDraft, *bodies: dict[str, object]) -> LeadDraft:
    """The draft of the last of the ``bodies`` that followed the first one."""
    drafts = [first, *(replace(first, **body) for body in bodies)]
    draft = again(drafts[-1], journal)
    return replace(draft, revision=len(drafts), formers=tuple(drafts[:-1]))


@pytest.mark.parametrize(
    ("body", "name", "shown"),
    [({"title": "Кухня и ванная"}, "name", "Кухня и ванная"), ({"price": "700"}, "price", 700)],
)
def test_a_change_that_an_unsent_body_brought_first_is_written(
    shop, draft, journal, deliver, body, name, shown
):
    """The second body was superseded before it was sent; the third says the same and must not rely on it."""
    first = draft(price="500")
    deliver(first)
    (receipt,) = deliver(updated(journal, first, body, body))
    assert isinstance(receipt, Receipt)
    (lead,) = shop.leads
    assert lead[name] == shown


def test_a_name_that_people_changed_is_left_alone_and_told_once(shop, draft, journal, deliver):
    first = draft()
    deliver(first)
    (lead,) = shop.account.leads.values()
    lead.props["name"] = "Иванова, кухня"
    (told,) = deliver(updated(journal, first, {"title": "Кухня"}))
    (told_again,) = deliver(updated(journal, first, {"title": "Кухня"}, {"title": "Кухня", "note": "Ещё"}))
    assert [(loss.question, loss.reason) for loss in told.losses] == [("name", EDITED)]
    assert told_again.losses == ()
    assert shop.leads[0]["name"] == "Иванова, кухня"


def test_somebody_dismissed_takes_no_lead_by_a_replay(shop, amo, draft, journal, deliver):
    """The rest is written, and amoCRM is not asked again and again."""
    first = draft(placement=Placement(shop.user("Игорь"), *shop.step()), price="500")
    deliver(first)
    maria = shop.user("Мария")
    amo.control("deactivate_user", {"user_id": int(maria)})
    amo.journal.clear()
    later = updated(journal, first, {"placement": replace(first.placement, performer=maria), "price": "700"})
    (receipt,) = deliver(replace(later, replay=1))
    assert isinstance(receipt, Receipt)
    (lead,) = shop.leads
    assert (str(lead["responsible_id"]), lead["price"]) == (shop.user("Игорь"), 700)
    assert [problem.code for problem in receipt.problems] == ["dead_performer"]
    assert len(amo.journal.find("PATCH", "/leads$")) == 2

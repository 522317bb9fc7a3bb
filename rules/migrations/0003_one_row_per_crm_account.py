"""Accounts that were connected twice, disconnected in between, had a row each: they become one.

The live row stays, or the newest; all that hung on the others goes to it. Of two deliveries of one answer the
one that knows more about the CRM is kept, with the tries of both.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import Count

LISTS = {
    "crmuser": ("remote_id",),
    "pipeline": ("entity", "remote_id"),
    "step": ("entity", "pipeline_id", "remote_id"),
    "field": ("entity", "remote_id"),
    "tag": ("entity", "remote_id"),
    "knowncontact": ("key",),
}
CHUNK = 2000


def merge(apps: Any, schema_editor: Any) -> None:
    Account = apps.get_model("accounts", "Account")
    same = ("account_id", "crm", "remote_id")
    twice = Account.objects.exclude(remote_id="").order_by().values(*same).annotate(rows=Count("pk"))
    for group in list(twice.filter(rows__gt=1).values(*same)):
        rows = list(Account.objects.filter(**group).order_by("deleted", "-pk"))
        for former in rows[1:]:
            _Merge(apps, former, rows[0]).run()


class _Merge:
    """Everything of the row ``former`` goes to the row ``kept``."""

    def __init__(self, apps: Any, former: Any, kept: Any) -> None:
        self.apps, self.former, self.kept = apps, former, kept

    def rows(self, app: str, model: str, account: Any) -> Any:
        return self.apps.get_model(app, model)._default_manager.filter(account_id=account.pk)

    def run(self) -> None:
        tags = self.lists()
        self.rules(tags)
        self.deliveries()
        self.rows("accounts", "connectattempt", self.former).update(account_id=self.kept.pk)
        self.former.delete()  # with its runs, and with what the kept row has, too

    def lists(self) -> dict[int, int]:
        """Rows that the kept account lacks go to it. Returns {former tag: the kept account's}."""
        tags: dict[int, int] = {}
        for model, key in LISTS.items():
            known = {tuple(row): pk for pk, *row in self.rows("crm_cache", model, self.kept).values_list("pk", *key)}
            moving = []
            for pk, *row in self.rows("crm_cache", model, self.former).values_list("pk", *key):
                if tuple(row) not in known:
                    moving.append(pk)
                elif model == "tag":
                    tags[pk] = known[tuple(row)]
            for start in range(0, len(moving), CHUNK):
                chunk = moving[start : start + CHUNK]
                self.rows("crm_cache", model, self.former).filter(pk__in=chunk).update(account_id=self.kept.pk)
        return tags

    def rules(self, tags: dict[int, int]) -> None:
        """A quiz keeps the kept account's rule, where it has one; the former one stays as a deleted one."""
        live = set(
            self.rows("rules", "rule", self.kept).filter(deleted=False).values_list("quiz_id", flat=True)
        )
        for rule in self.rows("rules", "rule", self.former):
            rule.account_id = self.kept.pk
            rule.deleted = rule.deleted or rule.quiz_id in live
            rule.tags_to_add = {
                entity: [tags.get(item, item) if isinstance(item, int) else item for item in items]
                for entity, items in rule.tags_to_add.items()
            }
            rule.save(update_fields=["account", "deleted", "tags_to_add"])

    def deliveries(self) -> None:
        kept = self.rows("rules", "delivery", self.kept)
        former = self.rows("rules", "delivery", self.former)
        twins = {row.answer_id: row for row in kept.filter(answer__in=former.values("answer"))}
        for row in former.filter(answer__in=list(twins)):
            self.twins(*sorted((twins[row.answer_id], row), key=_knows_more, reverse=True))
        self.rows("rules", "outcome", self.former).update(account_id=self.kept.pk)
        former.update(account_id=self.kept.pk)
        rules = self.rows("rules", "rule", self.kept).filter(deleted=False)
        for quiz_id, rule_id in rules.values_list("quiz_id", "pk"):
            kept.filter(quiz_id=quiz_id).exclude(state="delivered").update(rule_id=rule_id)

    def twins(self, better: Any, other: Any) -> None:
        """``other`` goes; what it knew is told in the tries of ``better``."""
        Attempt = self.apps.get_model("rules", "Attempt")
        Attempt.objects.filter(delivery_id=other.pk).update(delivery_id=better.pk)
        told = f"The same answer was {other.state} through the account's former row {self.former.pk}"
        lead = f", as lead {other.remote_id} ({other.remote_link})" if other.remote_id else ""
        Attempt.objects.create(
            delivery_id=better.pk,
            number=better.attempts_made + other.attempts_made + 1,
            started_at=other.delivered_at or other.created_at,
            outcome="merged",
            code="former_row",
            message=f"{told}{lead}, mark {other.uid}.",
        )
        if better.state != "delivered" and (other.steps or other.look_first):
            # Each may have made a lead under its own mark, and only one of them would be looked for.
            better.state, better.held_because, better.error = "held", "look_first", f"{told}{lead}."
            better.remedy = f"Look for the marks {better.uid} and {other.uid} in the CRM."
            better.save(update_fields=["state", "held_because", "error", "remedy"])
        self.apps.get_model("rules", "Outcome").objects.filter(delivery_id=other.pk).delete()
        other.delete()


def _knows_more(row: Any) -> tuple[bool, bool, bool, int]:
    """Delivered before half-made before unclear before waiting; of equals the one that came first."""
    return row.state == "delivered", bool(row.steps), row.look_first or row.state == "sending", -row.pk


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_history"),
        ("crm_cache", "0003_refused_runs"),
        ("rules", "0002_outcome"),
    ]

    operations = [migrations.RunPython(merge, migrations.RunPython.noop)]

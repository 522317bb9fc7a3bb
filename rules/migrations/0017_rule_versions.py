"""Every change of a rule is a version, and a delivery names the one by which it went."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

PROTECT = django.db.models.deletion.PROTECT
EVENTS = [
    ("made", "made"),
    ("changed", "changed"),
    ("restored", "an earlier version brought back"),
    ("fields_made", "fields were made in the CRM"),
    ("paused", "paused"),
    ("resumed", "resumed"),
    ("deleted", "deleted"),
    ("kept", "versions are kept from here on"),
]
BY = [("owner", "its owner"), ("crm", "the CRM"), ("staff", "staff"), ("service", "this service")]

# Rules as they are today; what they said before, nobody has kept.
FIRST = """
INSERT INTO rules_ruleversion (rule_id, number, event, said, at, by, who)
SELECT id, 1, 'kept', jsonb_build_object(
    'performer', performer, 'pipeline', pipeline, 'step', step, 'choices', choices,
    'fields_rule', fields_rule, 'tags_to_add', tags_to_add, 'quiz', quiz
), now(), 'service', '' FROM rules_rule;
UPDATE rules_rule r SET current_id = v.id FROM rules_ruleversion v WHERE v.rule_id = r.id;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_labels"), ("rules", "0015_contact_words")]

    operations = [
        migrations.CreateModel(
            name="RuleVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("event", models.CharField(choices=EVENTS, max_length=20, verbose_name="what happened")),
                ("restored", models.PositiveIntegerField(blank=True, null=True)),
                ("said", models.JSONField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="at")),
                ("by", models.CharField(choices=BY, max_length=10, verbose_name="by")),
                ("who", models.CharField(blank=True, max_length=200, verbose_name="who")),
                ("rule", models.ForeignKey(on_delete=PROTECT, related_name="versions", to="rules.rule")),
            ],
            options={
                "verbose_name": "version of a rule",
                "verbose_name_plural": "versions of rules",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["at"], name="version_by_age")],
                "constraints": [
                    models.UniqueConstraint(fields=["rule", "number"], name="one_version_per_number")
                ],
            },
        ),
        migrations.AddField(
            "rule",
            "current",
            models.ForeignKey(
                blank=True, null=True, on_delete=PROTECT, related_name="+", to="rules.ruleversion"
            ),
        ),
        migrations.AddField(
            "delivery",
            "version",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=PROTECT,
                related_name="deliveries",
                to="rules.ruleversion",
                verbose_name="version of the rule",
            ),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                condition=models.Q(("version__isnull", False)), fields=["version"], name="delivery_by_version"
            ),
        ),
        migrations.RunSQL(FIRST, migrations.RunSQL.noop),
    ]

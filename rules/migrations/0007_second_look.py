"""What of a claim may have been sent, and when an unclear lead is looked for once more.

Claims that are open while this runs were made by workers that wrote nothing down: they may have sent.
"""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rules", "0006_revisions")]

    operations = [
        migrations.AddField(
            "delivery", "write_begun_at", models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            "delivery", "look_again_at", models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            "delivery",
            "also_made",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=100), blank=True, db_default=[], default=list, size=None
            ),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["account", "look_again_at"],
                condition=models.Q(look_again_at__isnull=False),
                name="delivery_to_look_again",
            ),
        ),
        migrations.RunSQL(
            "UPDATE rules_delivery SET write_begun_at = claimed_at WHERE state = 'sending'", migrations.RunSQL.noop
        ),
    ]

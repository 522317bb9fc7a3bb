from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rules", "0008_lanes")]

    operations = [
        migrations.AddField("outcome", "asked", models.BooleanField(default=False, db_default=False)),
        migrations.AddIndex(
            "outcome",
            models.Index(
                fields=["account", "-asked", "-id"],
                condition=models.Q(next_look_at__isnull=False),
                name="outcome_newest_first",
            ),
        ),
    ]

"""Events: the outbox and the feed."""

from django.db import migrations, models

COLUMNS = [
    ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
    ("owner", models.CharField(max_length=200)),
    ("type", models.CharField(max_length=40)),
    ("at", models.DateTimeField()),
    ("data", models.JSONField()),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_labels")]

    operations = [
        migrations.CreateModel("NewEvent", fields=COLUMNS, options={"ordering": ["id"]}),
        migrations.CreateModel(
            "Event",
            fields=COLUMNS,
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["owner", "id"], name="event_of_owner")],
            },
        ),
    ]

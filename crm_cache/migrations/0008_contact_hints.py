import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Contacts that notices named since they were read."""

    dependencies = [("crm_cache", "0007_directory")]

    operations = [
        migrations.CreateModel(
            name="ContactHint",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "directory_id", "contact", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "directory",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_cache.contactdirectory",
                    ),
                ),
                ("contact", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
        ),
    ]

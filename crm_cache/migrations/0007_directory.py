import django.contrib.postgres.fields
from django.db import migrations, models

import accounts.message_fields

KEYS = """
CREATE TABLE crm_cache_directorykey (mark bigint NOT NULL, contact bigint NOT NULL, directory integer NOT NULL);
CREATE INDEX directory_key_by_mark ON crm_cache_directorykey (mark);
CREATE INDEX directory_key_by_contact ON crm_cache_directorykey (directory, contact);
"""


class Migration(migrations.Migration):
    """Which contact of a CRM's account has which phone or e-mail, under keyed hashes."""

    dependencies = [("crm_cache", "0005_labels")]

    operations = [
        migrations.CreateModel(
            name="ContactDirectory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("crm", models.CharField(max_length=20, verbose_name="CRM")),
                ("crm_account", models.CharField(max_length=100, verbose_name="CRM's account id")),
                ("key_id", models.CharField(blank=True, max_length=16)),
                ("region", models.CharField(blank=True, max_length=10)),
                ("wanted", models.BooleanField(default=False)),
                ("complete", models.BooleanField(default=False)),
                ("walking", models.BooleanField(default=False)),
                ("walked_to", models.BigIntegerField(default=0)),
                ("offset", models.BigIntegerField(default=0)),
                ("changed_to", models.BigIntegerField(default=0)),
                ("events_to", models.BigIntegerField(default=0)),
                ("revision", models.BigIntegerField(default=0)),
                (
                    "holes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                ("considered_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("followed_at", models.DateTimeField(null=True)),
                ("walked_at", models.DateTimeField(null=True)),
                ("error", accounts.message_fields.MessageField(blank=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="directory_due"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("crm", "crm_account"), name="one_directory_per_crm_account"
                    )
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(KEYS, "DROP TABLE crm_cache_directorykey")],
            state_operations=[
                migrations.CreateModel(
                    name="DirectoryKey",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "directory", "contact", "mark",
                                blank=True, editable=False, primary_key=True, serialize=False,
                            ),
                        ),
                        ("mark", models.BigIntegerField()),
                        ("contact", models.BigIntegerField()),
                        ("directory", models.IntegerField()),
                    ],
                ),
            ],
        ),
    ]

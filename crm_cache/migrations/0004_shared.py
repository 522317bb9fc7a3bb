from django.db import migrations, models

SHARE = """
UPDATE crm_cache_knowncontact k SET crm = a.crm, crm_account = a.remote_id
FROM accounts_account a WHERE a.id = k.account_id;
DELETE FROM crm_cache_knowncontact k USING crm_cache_knowncontact newer
WHERE k.crm = newer.crm AND k.crm_account = newer.crm_account AND k.key = newer.key
  AND (k.seen_at, k.id) < (newer.seen_at, newer.id);
"""


class Migration(migrations.Migration):
    """Contacts are known by the CRM's account, and no longer by ours."""

    dependencies = [
        ("accounts", "0002_hook"),
        ("crm_cache", "0003_refused_runs"),
        ("rules", "0003_one_row_per_crm_account"),
    ]

    operations = [
        migrations.AddField("knowncontact", "crm", models.CharField(max_length=20, default=""), False),
        migrations.AddField("knowncontact", "crm_account", models.CharField(max_length=100, default=""), False),
        migrations.RemoveConstraint("knowncontact", "one_contact_per_key"),
        migrations.RunSQL(SHARE, "DELETE FROM crm_cache_knowncontact"),
        migrations.RemoveField("knowncontact", "account"),
        migrations.AddConstraint(
            "knowncontact",
            models.UniqueConstraint(fields=["crm", "crm_account", "key"], name="one_contact_per_key"),
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("crm", models.CharField(max_length=20)),
                ("crm_account", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=330)),
                ("holder", models.CharField(max_length=40)),
                ("until", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["holder"], name="lease_of_holder"),
                    models.Index(fields=["until"], name="lease_by_end"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=["crm", "crm_account", "key"], name="one_lease_per_key")
                ],
            },
        ),
    ]

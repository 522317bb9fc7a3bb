"""Who may connect accounts; what staff did is listed by time."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_lane_looks"), ("admin", "0003_logentry_add_action_flag_choices")]

    operations = [
        migrations.AlterModelOptions(
            "account",
            {
                "ordering": ["-id"],
                "permissions": [("connect_account", "Can connect and disconnect accounts")],
                "verbose_name": "account",
                "verbose_name_plural": "accounts",
            },
        ),
        migrations.RunSQL(
            "CREATE INDEX log_by_time ON django_admin_log (action_time)", "DROP INDEX log_by_time"
        ),
    ]

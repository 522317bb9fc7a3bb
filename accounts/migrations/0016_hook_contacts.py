from django.db import migrations, models


class Migration(migrations.Migration):
    """Is the account's CRM to tell of its contacts, too?"""

    dependencies = [("accounts", "0015_hook_due")]

    operations = [
        migrations.AddField(
            model_name="hook",
            name="contacts",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]

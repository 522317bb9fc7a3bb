from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm_cache", "0002_indexes")]

    operations = [
        migrations.AddField("syncrun", "refused", models.BooleanField(default=False, db_default=False)),
    ]

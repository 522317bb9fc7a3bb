from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_one_row_per_crm_account")]

    operations = [
        migrations.AddField("token", "exchange_begun_at", models.DateTimeField(blank=True, null=True)),
    ]

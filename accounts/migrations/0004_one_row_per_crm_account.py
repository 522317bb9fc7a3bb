from django.db import migrations, models


class Migration(migrations.Migration):
    """``rules.0003`` has merged the rows that existed twice."""

    dependencies = [("accounts", "0003_history"), ("rules", "0003_one_row_per_crm_account")]

    operations = [
        migrations.AddConstraint(
            model_name='account',
            constraint=models.UniqueConstraint(condition=models.Q(('remote_id', ''), _negated=True), fields=('account_id', 'crm', 'remote_id'), name='one_row_per_crm_account'),
        ),
    ]

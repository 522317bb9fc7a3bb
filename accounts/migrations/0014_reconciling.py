
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_webhooks'),
    ]

    operations = [
        migrations.AddField(
            model_name='account',
            name='reconcile',
            field=models.BooleanField(db_default=True, default=True, help_text='At night the deliveries of the last days are compared with what the CRM has, at a tenth of what it allows; what differs is told in a report.', verbose_name='nightly reconciliation'),
        ),
        migrations.AddField(
            model_name='account',
            name='reconcile_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='next reconciliation at'),
        ),
        migrations.AddField(
            model_name='account',
            name='reconciled_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='reconciled at'),
        ),
        migrations.AddIndex(
            model_name='account',
            index=models.Index(condition=models.Q(('deleted', False), ('reconcile', True), ('state', 'active')), fields=['reconcile_at'], name='account_reconcile_due'),
        ),
        migrations.AddIndex(
            model_name='account',
            index=models.Index(condition=models.Q(('deleted', False), ('reconcile', True), ('state', 'active')), fields=['reconciled_at'], name='account_reconciled'),
        ),
    ]

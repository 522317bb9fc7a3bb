
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0014_reconciling'),
        ('rules', '0042_conversion'),
    ]

    operations = [
        migrations.CreateModel(
            name='Reconciliation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner', models.CharField(max_length=200, verbose_name='quiz account')),
                ('state', models.CharField(choices=[('running', 'under way'), ('done', 'done'), ('failed', 'not finished')], default='running', max_length=10, verbose_name='state')),
                ('phase', models.CharField(choices=[('listing', "reads the CRM's leads"), ('comparing', 'compares them with the deliveries'), ('confirming', 'asks about each suspect')], default='listing', max_length=10, verbose_name='phase')),
                ('since', models.DateTimeField(verbose_name='leads from')),
                ('until', models.DateTimeField(verbose_name='leads until')),
                ('place', models.JSONField(blank=True, default=dict)),
                ('reached', models.BigIntegerField(default=0)),
                ('complete', models.BooleanField(default=False)),
                ('listed', models.PositiveIntegerField(default=0, verbose_name='leads seen in the CRM')),
                ('compared', models.PositiveIntegerField(default=0, verbose_name='deliveries compared')),
                ('unchecked', models.PositiveIntegerField(default=0, verbose_name='not checked')),
                ('counts', models.JSONField(blank=True, default=dict, verbose_name='findings')),
                ('requests', models.PositiveIntegerField(default=0, verbose_name='requests to the CRM')),
                ('failures', models.PositiveIntegerField(default=0)),
                ('error', models.TextField(blank=True, db_default='', verbose_name='error')),
                ('who', models.CharField(blank=True, db_default='', max_length=150, verbose_name='asked for by')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='began')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('wake_at', models.DateTimeField(blank=True, null=True)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reconciliations', to='accounts.account', verbose_name='account')),
            ],
            options={
                'verbose_name': 'reconciliation',
                'verbose_name_plural': 'reconciliations',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('missing', 'missing in the CRM'), ('deleted', 'deleted in the CRM'), ('doubled', 'doubled'), ('found', 'is there, though we say it is not'), ('moved', 'in another pipeline')], max_length=10, verbose_name='kind')),
                ('confirmed', models.BooleanField(default=False)),
                ('record', models.CharField(blank=True, max_length=50)),
                ('leads', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None, verbose_name='leads')),
                ('expected', models.CharField(blank=True, max_length=500, verbose_name='expected')),
                ('actual', models.CharField(blank=True, max_length=500, verbose_name='actual')),
                ('deed', models.TextField(blank=True, db_default='', verbose_name='what was done')),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='rules.delivery', verbose_name='delivery')),
                ('reconciliation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='rules.reconciliation', verbose_name='reconciliation')),
            ],
            options={
                'verbose_name': 'finding',
                'verbose_name_plural': 'findings',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='SurveyedLead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('record', models.CharField(max_length=50)),
                ('remote_id', models.CharField(max_length=100)),
                ('pipeline', models.CharField(blank=True, max_length=100)),
                ('made_of', models.CharField(blank=True, max_length=100)),
                ('delivery', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rules.delivery')),
                ('reconciliation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='surveyed', to='rules.reconciliation')),
            ],
        ),
        migrations.AddIndex(
            model_name='reconciliation',
            index=models.Index(condition=models.Q(('wake_at__isnull', False)), fields=['wake_at'], name='reconciliation_to_go_on'),
        ),
        migrations.AddIndex(
            model_name='reconciliation',
            index=models.Index(fields=['account', '-id'], name='reconciliation_of_account'),
        ),
        migrations.AddIndex(
            model_name='reconciliation',
            index=models.Index(fields=['owner', '-id'], name='reconciliation_of_owner'),
        ),
        migrations.AddIndex(
            model_name='reconciliation',
            index=models.Index(fields=['created_at'], name='reconciliation_by_age'),
        ),
        migrations.AddConstraint(
            model_name='reconciliation',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('account',), name='one_reconciliation_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='reconciliation',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['running', 'done', 'failed'])), name='reconciliation_state_is_known'),
        ),
        migrations.AddIndex(
            model_name='finding',
            index=models.Index(fields=['reconciliation', 'confirmed', 'id'], name='finding_of_run'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.UniqueConstraint(fields=('reconciliation', 'delivery', 'kind'), name='one_finding_of_a_kind_per_delivery'),
        ),
        migrations.AddConstraint(
            model_name='surveyedlead',
            constraint=models.UniqueConstraint(fields=('reconciliation', 'delivery', 'record', 'remote_id'), name='surveyed_lead_once'),
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models

# What was counted before knew nothing of it: every day that is followed is counted again, the newest first.
COUNT_AGAIN = "UPDATE rules_dayfigures SET counted_at = '2000-01-01' WHERE account_id IS NULL"


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_webhooks'),
        ('rules', '0030_quiz_options'),
    ]

    operations = [
        migrations.CreateModel(
            name='AnswerTraits',
            fields=[
                ('answer', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='traits', serialize=False, to='rules.answer')),
                ('revision', models.PositiveIntegerField(default=1)),
                ('source', models.CharField(blank=True, max_length=200)),
                ('medium', models.CharField(blank=True, max_length=200)),
                ('campaign', models.CharField(blank=True, max_length=200)),
                ('page', models.CharField(blank=True, max_length=200)),
                ('options', models.JSONField(default=dict)),
            ],
        ),
        migrations.AddField(
            model_name='outcome',
            name='stepped_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='left its first step'),
        ),
        migrations.CreateModel(
            name='DayConversion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('crm', models.CharField(blank=True, max_length=20)),
                ('owner', models.CharField(blank=True, max_length=200)),
                ('quiz_id', models.BigIntegerField(null=True)),
                ('whole', models.BooleanField(default=False)),
                ('answers', models.PositiveIntegerField(default=0)),
                ('leads', models.PositiveIntegerField(default=0)),
                ('open', models.PositiveIntegerField(default=0)),
                ('won', models.PositiveIntegerField(default=0)),
                ('lost', models.PositiveIntegerField(default=0)),
                ('gone', models.PositiveIntegerField(default=0)),
                ('sums', models.JSONField(default=dict)),
                ('parts', models.JSONField(default=dict)),
                ('account', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
            options={
                'indexes': [models.Index(fields=['owner', 'day'], include=('account', 'crm', 'quiz_id', 'whole'), name='conversion_of_owner'), models.Index(fields=['account', 'day'], name='conversion_of_account'), models.Index(fields=['quiz_id', 'day'], name='conversion_of_quiz'), models.Index(condition=models.Q(('quiz_id__isnull', False)), fields=['day'], include=('owner', 'crm', 'quiz_id', 'answers', 'leads', 'open', 'won', 'lost', 'gone'), name='conversion_of_quizzes')],
                'constraints': [models.UniqueConstraint(fields=('day', 'owner', 'crm', 'account', 'quiz_id'), name='one_row_of_conversion', nulls_distinct=False)],
            },
        ),
        migrations.RunSQL(COUNT_AGAIN, migrations.RunSQL.noop),
    ]

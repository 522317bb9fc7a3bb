import django.db.models.deletion
import django.db.models.functions.comparison
from django.db import migrations, models

LANES = """
INSERT INTO accounts_lane (account_id, holder, rests_until, failures)
SELECT id, '', lane_rests_until, lane_failures FROM accounts_account
"""
BACK = """
UPDATE accounts_account a SET lane_rests_until = l.rests_until, lane_failures = l.failures
FROM accounts_lane l WHERE l.account_id = a.id
"""
# Every account has its lane, whoever makes it.
TRIGGER = """
CREATE FUNCTION accounts_make_lane() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_lane (account_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_make_lane AFTER INSERT ON accounts_account
FOR EACH ROW EXECUTE FUNCTION accounts_make_lane();
"""
NO_TRIGGER = """
DROP TRIGGER accounts_make_lane ON accounts_account;
DROP FUNCTION accounts_make_lane();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_exchange_begun'),
    ]

    operations = [
        migrations.CreateModel(
            name='Lane',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='lane', serialize=False, to='accounts.account')),
                ('next_due', models.DateTimeField(blank=True, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('holder', models.CharField(blank=True, db_default='', max_length=40)),
                ('rests_until', models.DateTimeField(blank=True, null=True)),
                ('failures', models.PositiveIntegerField(db_default=0, default=0)),
                ('review_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [
                    models.Index(django.db.models.functions.comparison.Greatest('next_due', 'lease_until', 'rests_until'), condition=models.Q(('next_due__isnull', False)), name='lane_due'),
                    models.Index(condition=models.Q(('review_at__isnull', False)), fields=['review_at'], name='lane_to_review'),
                    models.Index(condition=models.Q(('failures__gt', 0)), fields=['account'], name='lane_silent'),
                ],
            },
        ),
        migrations.RunSQL(LANES, BACK),
        migrations.RunSQL(TRIGGER, NO_TRIGGER),
        migrations.RemoveIndex(model_name='account', name='account_lane_taken'),
        migrations.RemoveField(model_name='account', name='lane_until'),
        migrations.RemoveField(model_name='account', name='lane_holder'),
        migrations.RemoveField(model_name='account', name='lane_rests_until'),
        migrations.RemoveField(model_name='account', name='lane_failures'),
    ]

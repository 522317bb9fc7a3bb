
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rules', '0020_figures'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='route',
            field=models.CharField(blank=True, db_default='', max_length=100, verbose_name='route'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='wanted',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='rule',
            name='extra',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict, verbose_name='conditions and routes'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='held_because',
            field=models.CharField(blank=True, choices=[('disconnected', 'account disconnected'), ('reconnect', 'account needs reconnecting'), ('fix_rule', 'rule needs fixing'), ('look_first', 'may have arrived: a person must look'), ('refused', 'refused by the CRM'), ('gave_up', 'out of tries'), ('paused', 'account paused'), ('erased', "erased on the person's request"), ('stale', 'waited too long for its account: a person decides'), ('rule_paused', 'rule paused'), ('rule_deleted', 'rule deleted: a new one or a person decides'), ('cancelled', 'cancelled: nobody wants it sent'), ('left_out', "left out by the rule's condition")], max_length=20, verbose_name='held because'),
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rules', '0016_webhook_incidents'),
    ]

    operations = [
        migrations.CreateModel(
            name='Turns',
            fields=[
                ('rule', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='turns', serialize=False, to='rules.rule')),
                ('owed', models.JSONField(default=dict)),
            ],
        ),
        migrations.AddField(
            model_name='delivery',
            name='draw',
            field=models.TextField(blank=True, db_default=''),
        ),
        migrations.AddField(
            model_name='delivery',
            name='performer',
            field=models.CharField(blank=True, db_default='', max_length=100, verbose_name='responsible'),
        ),
    ]

"""Leads that staff send to try a rule; who may read whole answers and have a person forgotten."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0010_who_may'),
        ('rules', '0022_list_indexes'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='answer',
            options={'ordering': ['-id'], 'permissions': [('view_payload', 'Can read whole answers and what was said to CRMs')], 'verbose_name': 'answer', 'verbose_name_plural': 'answers'},
        ),
        migrations.AlterModelOptions(
            name='erasure',
            options={'ordering': ['-id'], 'permissions': [('erase_person', 'Can give out and forget what is kept of a person')], 'verbose_name': 'erasure of a person', 'verbose_name_plural': 'erasures of people'},
        ),
        migrations.AddField(
            model_name='answer',
            name='test',
            field=models.BooleanField(db_default=False, default=False, verbose_name='test'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='removed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='deleted in the CRM'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='test',
            field=models.BooleanField(db_default=False, default=False, verbose_name='test'),
        ),
        migrations.AddField(
            model_name='outcome',
            name='test',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name='erasure',
            name='asked_at',
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name='asked at'),
        ),
        migrations.AlterField(
            model_name='erasure',
            name='asked_by',
            field=models.CharField(max_length=200, verbose_name='asked by'),
        ),
        migrations.AlterField(
            model_name='erasure',
            name='done_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='done at'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('test', True)), fields=['-id'], name='delivery_test'),
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rules', '0005_preparing'),
    ]

    operations = [
        migrations.AddField(
            model_name='answer',
            name='complete',
            field=models.BooleanField(db_default=True, default=True, help_text='Nothing more is to come under this id.'),
        ),
        migrations.AddField(
            model_name='answer',
            name='revision',
            field=models.PositiveIntegerField(db_default=1, default=1, help_text='How many bodies came under this id.'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='revision',
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name='delivery',
            name='revision_sent',
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='delivered_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='lead made at'),
        ),
        migrations.CreateModel(
            name='FormerBody',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField()),
                ('payload', models.JSONField()),
                ('digest', models.CharField(max_length=64)),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='former_bodies', to='rules.answer')),
            ],
            options={
                'verbose_name_plural': 'former bodies',
                'ordering': ['answer', 'revision'],
                'constraints': [models.UniqueConstraint(fields=('answer', 'revision'), name='one_former_body_per_revision')],
            },
        ),
    ]

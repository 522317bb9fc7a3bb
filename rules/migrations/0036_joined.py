from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rules', '0034_tasks'),
    ]

    operations = [
        migrations.AddField(
            model_name='outcome',
            name='joined',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name='outcome',
            index=models.Index(condition=models.Q(('joined', True)), fields=['owner', '-id'], include=('status', 'created_at'), name='outcome_joined'),
        ),
    ]

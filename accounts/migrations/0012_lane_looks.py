from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0013_contact_directory'),
    ]

    operations = [
        migrations.AddField(
            model_name='lane',
            name='check_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='lane',
            name='look_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='lane',
            index=models.Index(condition=models.Q(('look_at__isnull', False)), fields=['look_at'], name='lane_to_look'),
        ),
        migrations.AddIndex(
            model_name='lane',
            index=models.Index(condition=models.Q(('check_at__isnull', False)), fields=['check_at'], name='lane_to_check'),
        ),
    ]

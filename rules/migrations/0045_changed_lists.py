from django.db import migrations, models


# What has changed is listed by the index alone.
class Migration(migrations.Migration):

    dependencies = [
        ('rules', '0044_changed_since'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='delivery',
            name='delivery_updated',
        ),
        migrations.RemoveIndex(
            model_name='outcome',
            name='outcome_updated',
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['owner', 'updated_at'], include=('id', 'test'), name='delivery_updated'),
        ),
        migrations.AddIndex(
            model_name='outcome',
            index=models.Index(fields=['owner', 'updated_at'], include=('id', 'status', 'test'), name='outcome_updated'),
        ),
    ]

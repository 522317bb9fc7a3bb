from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rules', '0036_joined'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'sending', 'held'])), fields=['owner', '-id'], include=('account', 'rule', 'state', 'held_because', 'created_at', 'test'), name='delivery_undelivered'),
        ),
        migrations.RemoveIndex(
            model_name='delivery',
            name='delivery_open_of_owner',
        ),
    ]

from django.db import migrations, models


# What an account has that is not delivered is counted by the index alone, of a quiz and of a time, too.
class Migration(migrations.Migration):

    dependencies = [
        ('rules', '0046_delivery_fillfactor'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='delivery',
            name='delivery_undelivered',
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'sending', 'held'])), fields=['owner', '-id'], include=('account', 'rule', 'quiz_id', 'state', 'held_because', 'created_at', 'updated_at', 'test'), name='delivery_undelivered'),
        ),
    ]

from django.db import migrations, models


# Incidents are looked for every minute: accounts that need a person are found without reading the others.
class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0016_hook_contacts'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='account',
            index=models.Index(condition=models.Q(('deleted', False), ('state', 'needs_reconnect')), fields=['id'], name='account_signed_out'),
        ),
    ]

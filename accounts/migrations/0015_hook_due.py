from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0014_reconciling'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='hook',
            index=models.Index(fields=['ask_at'], name='hook_due'),
        ),
    ]

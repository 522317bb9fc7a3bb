from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rules", "0004_held_for_return"),
    ]

    operations = [
        migrations.AddField(
            model_name="rule",
            name="prepare_tries",
            field=models.PositiveIntegerField(default=0),
        ),
    ]

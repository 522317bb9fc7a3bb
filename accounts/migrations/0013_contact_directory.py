from django.db import migrations, models


class Migration(migrations.Migration):
    """May a directory of the account's contacts be kept?"""

    dependencies = [("accounts", "0008_events")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="contact_directory",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Where many leads come, all contacts of the CRM are walked once and known by keyed hashes of their phones and e-mails, which spares a search for each person. Turned off, it is erased.",
                verbose_name="directory of contacts",
            ),
        ),
    ]

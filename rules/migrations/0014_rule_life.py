"""Rules that are paused, and when deliveries and outcomes last changed."""

import django.utils.timezone
from django.db import migrations, models
from django.db.models.functions import Now

HELD = [
    ("disconnected", "account disconnected"),
    ("reconnect", "account needs reconnecting"),
    ("fix_rule", "rule needs fixing"),
    ("look_first", "may have arrived: a person must look"),
    ("refused", "refused by the CRM"),
    ("gave_up", "out of tries"),
    ("paused", "account paused"),
    ("erased", "erased on the person's request"),
    ("stale", "waited too long for its account: a person decides"),
    ("rule_paused", "rule paused"),
    ("rule_deleted", "rule deleted: a new one or a person decides"),
    ("cancelled", "cancelled: nobody wants it sent"),
]

# Many statements move deliveries; a trigger forgets none. A claim is no change that anybody waits for.
TOUCH = """
CREATE FUNCTION rules_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;
CREATE TRIGGER delivery_updated BEFORE UPDATE ON rules_delivery FOR EACH ROW
WHEN (NEW.state <> 'sending' AND (OLD.state, OLD.held_because, OLD.error, OLD.remote_id, OLD.revision)
      IS DISTINCT FROM (NEW.state, NEW.held_because, NEW.error, NEW.remote_id, NEW.revision))
EXECUTE FUNCTION rules_touch();
CREATE TRIGGER outcome_updated BEFORE UPDATE ON rules_outcome FOR EACH ROW
WHEN ((OLD.status, OLD.gone, OLD.record, OLD.record_id, OLD.link, OLD.pipeline, OLD.step, OLD.performer,
       OLD.amount, OLD.currency, OLD.paid, OLD.payments, OLD.details, OLD.changed_at, OLD.closed_at)
      IS DISTINCT FROM
      (NEW.status, NEW.gone, NEW.record, NEW.record_id, NEW.link, NEW.pipeline, NEW.step, NEW.performer,
       NEW.amount, NEW.currency, NEW.paid, NEW.payments, NEW.details, NEW.changed_at, NEW.closed_at))
EXECUTE FUNCTION rules_touch();
"""
UNTOUCH = """
DROP TRIGGER delivery_updated ON rules_delivery;
DROP TRIGGER outcome_updated ON rules_outcome;
DROP FUNCTION rules_touch();
"""


def when():
    return models.DateTimeField("changed at", default=django.utils.timezone.now, db_default=Now())


class Migration(migrations.Migration):
    dependencies = [("rules", "0013_list_indexes")]

    operations = [
        migrations.AddField("rule", "paused_at", models.DateTimeField("paused at", blank=True, null=True)),
        migrations.AlterField(
            "delivery", "held_because", models.CharField("held because", blank=True, choices=HELD, max_length=20)
        ),
        migrations.AddField("delivery", "updated_at", when()),
        migrations.AddField("outcome", "updated_at", when()),
        migrations.AddIndex("answer", models.Index(fields=["account_id", "-id"], name="answer_of_owner")),
        migrations.AddIndex(
            "delivery", models.Index(fields=["owner", "updated_at"], name="delivery_updated")
        ),
        migrations.AddIndex("outcome", models.Index(fields=["owner", "updated_at"], name="outcome_updated")),
        migrations.RunSQL(TOUCH, UNTOUCH),
    ]

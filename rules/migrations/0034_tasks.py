"""How the task that came with a lead stands; its moves are events of the outcome, too."""

from django.db import migrations, models

FUNCTION = "rules_tell_outcome"
TOLD = (
    (
        "CASE WHEN NEW.gone <> OLD.gone THEN 'gone' END]",
        "CASE WHEN NEW.gone <> OLD.gone THEN 'gone' END, CASE WHEN NEW.task <> OLD.task THEN 'task' END]",
    ),
    ("'gone', NEW.gone <> '')", "'gone', NEW.gone <> '', 'task', NEW.task)"),
)
UNLESS_OFF = "current_setting('quiz_crm.events', true) IS DISTINCT FROM 'off'"
SHOWN = (
    "status", "gone", "record", "record_id", "link", "pipeline", "step", "performer", "amount", "currency", "paid",
    "payments", "details", "changed_at", "closed_at",
)  # fmt: skip
WATCHED = (
    "status", "gone", "record", "record_id", "pipeline", "step", "performer", "amount", "currency", "paid",
)  # fmt: skip
TASK = ("task", "task_due", "task_ended_at")


def differs(names):
    sides = (", ".join(f"{side}.{name}" for name in names) for side in ("OLD", "NEW"))
    return " IS DISTINCT FROM ".join(f"({side})" for side in sides)


def triggers(shown, watched):
    return f"""
DROP TRIGGER outcome_updated ON rules_outcome;
CREATE TRIGGER outcome_updated BEFORE UPDATE ON rules_outcome FOR EACH ROW
WHEN ({differs(shown)}) EXECUTE FUNCTION rules_touch();
DROP TRIGGER outcome_told ON rules_outcome;
CREATE TRIGGER outcome_told AFTER UPDATE ON rules_outcome FOR EACH ROW
WHEN ({differs(watched)} AND {UNLESS_OFF}) EXECUTE FUNCTION {FUNCTION}();
"""


def tell(apps, schema_editor):
    _replace(schema_editor, TOLD)


def tell_no_more(apps, schema_editor):
    _replace(schema_editor, [(after, before) for before, after in TOLD])


def _replace(schema_editor, changes):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regproc)", [FUNCTION])
        (text,) = cursor.fetchone()
        for before, after in changes:
            assert before in text, before
            text = text.replace(before, after)
        cursor.execute(text)


class Migration(migrations.Migration):
    dependencies = [("rules", "0040_reconciliation")]

    operations = [
        migrations.AddField(
            "outcome",
            "task",
            models.CharField(
                "task",
                blank=True,
                choices=[("open", "open"), ("done", "done"), ("gone", "gone"), ("refused", "not made")],
                db_default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            "outcome", "task_due", models.DateTimeField("task is due", blank=True, null=True)
        ),
        migrations.AddField(
            "outcome", "task_ended_at", models.DateTimeField("task was done", blank=True, null=True)
        ),
        migrations.RunPython(tell, tell_no_more),
        migrations.RunSQL(triggers((*SHOWN, *TASK), (*WATCHED, "task")), triggers(SHOWN, WATCHED)),
    ]

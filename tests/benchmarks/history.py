"""Accounts and deliveries of half a year, written by PostgreSQL: nothing of them is due, one account in a
hundred has something that is held, and half of what came last waits. What is older than 90 days was erased.

Rows are numbered as they were made. Keys are not checked and triggers are off, which would take longer than
everything else; for the same reason indexes are made when their rows are there, and nothing is logged that a
crash would have to repeat. Lanes are reckoned at the end. Days are counted as ``rules.figures`` and
``rules.conversion.counting`` do it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from tests.benchmarks.ground import say

QUIZ = 1001  # of the account with half of the deliveries
BIGGEST, SMALL = "q1", "q77"
HELD, LATE = 0.02, 0.99  # of all; from where on every second one waits


def fill(accounts: int, deliveries: int) -> None:
    sizes = {
        "accounts": accounts,
        "rows": deliveries,
        "held": HELD,
        "late": LATE,
        "zone": settings.TIME_ZONE,
    }
    with connection.cursor() as cursor:
        for setting in SETTINGS:
            cursor.execute(f"SET {setting}")
        with transaction.atomic():
            # Rows of tables that are made or emptied in the same transaction need no log.
            cursor.execute(f"TRUNCATE {', '.join(LARGE)} CASCADE")
            with without_indexes(cursor):
                for statement in STATEMENTS:
                    run(cursor, statement, sizes)
            for name in NUMBERED:
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
                )
        for setting in SETTINGS:
            cursor.execute(f"RESET {setting.partition(' ')[0]}")
        run(cursor, "VACUUM ANALYZE", None)  # as autovacuum leaves tables that have grown


@contextmanager
def without_indexes(cursor: Any) -> Iterator[None]:
    """Of the large tables: but for their primary keys, which grow at their end."""
    cursor.execute(INDEXES, [list(LARGE)])
    found = cursor.fetchall()
    for drop, _ in found:
        cursor.execute(drop)
    yield
    for _, make in found:
        run(cursor, make, None)


def run(cursor: Any, statement: str, sizes: dict[str, Any] | None) -> None:
    begun = time.monotonic()
    cursor.execute(statement, sizes)
    say(f"{' '.join(statement.split()[:4])[:70]}: {time.monotonic() - begun:.1f} s")


SETTINGS = ("session_replication_role TO replica", "maintenance_work_mem TO '1GB'", "work_mem TO '256MB'")
LARGE = (
    "rules_answer", "rules_delivery", "rules_outcome", "rules_attempt", "rules_answertraits",
    "rules_dayfigures", "rules_dayconversion", "accounts_event",
)  # fmt: skip
NUMBERED = (
    "accounts_account", "rules_rule", "rules_answer", "rules_delivery", "rules_attempt", "rules_outcome",
    "rules_dayfigures", "rules_dayconversion", "accounts_event",
)  # fmt: skip
# How each index is dropped and made again; constraints by their own names.
INDEXES = """
SELECT CASE WHEN c.oid IS NULL THEN format('DROP INDEX %%I', i.relname)
            ELSE format('ALTER TABLE %%I DROP CONSTRAINT %%I', t.relname, c.conname) END,
       CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.oid)
            ELSE format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s', t.relname, c.conname,
                        pg_get_constraintdef(c.oid)) END
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype = 'u'
WHERE t.relname = ANY (%s) AND NOT x.indisprimary ORDER BY t.relname, i.relname
"""
# Of the delivery ``id`` of ``quiz``.
STATE = """CASE WHEN (id * 7919) %% 1000 < 1000 * %(held)s AND quiz %% 100 = 1 THEN 'held'
    WHEN id > %(rows)s * %(late)s AND id %% 4 < 2 THEN 'waiting' ELSE 'delivered' END"""
# Parts of conversion in which nobody has a name.
NAMELESS = """jsonb_build_object('source', jsonb_build_object('', told),
    'medium', jsonb_build_object('', told), 'campaign', jsonb_build_object('', told),
    'page', jsonb_build_object('', told))"""
STATEMENTS = (
    """
INSERT INTO accounts_account (id, account_id, crm, remote_id, host, name, subdomain, country, user_id,
    user_name, user_email, user_role, user_group, facts, state, state_reason, state_since, deleted,
    send_again,
    created_at, connected_at, next_sync_at, synced_at, reconcile_at, reconciled_at)
SELECT g, 'q' || g, (array['amocrm', 'bitrix24', 'envybox', 'solos'])[1 + g %% 4], 'r' || g,
    'h' || g || '.amocrm.ru', 'Account ' || g, 'h' || g, 'RU', '1', 'Owner', 'o@example.ru', '', '',
    '{"mark_field": 123, "zone": "Europe/Moscow"}',
    CASE WHEN g %% 50 = 0 THEN 'needs_reconnect' WHEN g %% 97 = 0 THEN 'paused' ELSE 'active' END, '',
    now() - interval '9 days', false, false, now() - interval '200 days', now() - interval '9 days',
    now() + interval '3 hours', now() - interval '8 days',
    now() + interval '1 hour' + random() * interval '1 day', now() - random() * interval '1 day'
FROM generate_series(1, %(accounts)s) g
""",
    "INSERT INTO accounts_lane (account_id) SELECT id FROM accounts_account",
    """
INSERT INTO accounts_token (account_id, access, refresh, expires_at, refresh_at, refreshed_at, failures,
    last_error)
SELECT id, 'x', 'x', now() + interval '1 day', now() + interval '12 hours', now(), 0, ''
FROM accounts_account WHERE crm IN ('amocrm', 'bitrix24')
""",
    """
INSERT INTO accounts_hook (account_id, secret, ask_at, asked_at, error)
SELECT id, 'x', now() + interval '1 day', now(), '' FROM accounts_account WHERE crm IN ('amocrm', 'bitrix24')
""",
    """
INSERT INTO accounts_checkup (account_id, ask_at, asked_at, problems, error)
SELECT id, now() + interval '1 hour' + random() * interval '1 day', now() - interval '1 hour', '[]', ''
FROM accounts_account
""",
    """
INSERT INTO crm_cache_syncrun (account_id, what, state, pages, added, changed, gone, error, refused, asked_at,
    started_at, alive_at, finished_at)
SELECT a.id, w, 'done', 1, 1, 0, 0, '', false, now() - interval '8 days', now() - interval '8 days',
    now() - interval '8 days', now() - interval '8 days'
FROM accounts_account a, unnest(array['users', 'pipelines', 'steps', 'fields']) w
""",
    """
INSERT INTO rules_rule (id, account_id, quiz_id, performer, pipeline, step, choices, fields_rule,
    tags_to_add, quiz, contact_map, problems, prepare_tries, prepared_at, deleted, created_at, updated_at)
SELECT id, id, 1000 + id, '', '1', '2', '{}', '{}', '{}', '{}', '{}',
    CASE WHEN id %% 200 = 0 THEN '[{"code": "step_gone", "message": "A step is gone", "field": "StepID"}]'
    ELSE '[]' END::jsonb, 0, now() - interval '8 days', false, now() - interval '9 days',
    now() - interval '9 days'
FROM accounts_account
""",
    f"""
INSERT INTO rules_answer (id, account_id, quiz_id, answer_id, payload, digest, contact_keys, created_at,
    purged_at)
SELECT g, 'q' || a, quiz, 'a' || g,
    CASE WHEN over THEN '{{}}' ELSE jsonb_build_object('quizID', quiz, 'contact',
        jsonb_build_object('name', 'Anna', 'phone', '+7' || (9000000000 + g))) END,
    md5(g::text) || md5(g::text),
    CASE WHEN over THEN '{{}}' ELSE array['phone:+7' || (9000000000 + g)] END,
    now() - interval '180 days' * (1 - g::float / %(rows)s),
    CASE WHEN over THEN now() - interval '90 days' * (1 - 2 * g::float / %(rows)s) END
FROM generate_series(1, %(rows)s) g,
    LATERAL (SELECT CASE WHEN g %% 2 = 0 THEN 1 ELSE 1 + g %% %(accounts)s END AS a) o,
    LATERAL (SELECT g::bigint AS id, 1000 + a AS quiz) n, LATERAL (SELECT {STATE} AS s) t,
    LATERAL (SELECT g < %(rows)s / 2 AND s = 'delivered' AS over) e
""",
    f"""
INSERT INTO rules_delivery (id, answer_id, rule_id, account_id, owner, quiz_id, uid, state, held_because,
    due_at, attempts_made, strikes, look_first, contact_keys, steps, losses, remote_id, remote_link,
    error_code, error, remedy, created_at, updated_at, delivered_at)
SELECT id, id, quiz - 1000, quiz - 1000, account_id, quiz, 'qz' || lpad(id::text, 16, '0'), s,
    CASE WHEN s = 'held' THEN
        (array['refused', 'gave_up', 'fix_rule', 'look_first', 'stale', 'refused'])[1 + id %% 6] ELSE '' END,
    CASE WHEN s = 'waiting' THEN now() + interval '1 day' ELSE created_at END, 1, 0, false, contact_keys,
    jsonb_build_object('lead', id::text), '[]', CASE WHEN s = 'delivered' THEN id::text ELSE '' END,
    'https://h.amocrm.ru/leads/' || id, '', '', '', created_at, created_at,
    CASE WHEN s = 'delivered' THEN created_at END
FROM rules_answer, LATERAL (SELECT quiz_id AS quiz) n, LATERAL (SELECT {STATE} AS s) t
""",
    """
INSERT INTO rules_attempt (delivery_id, number, started_at, seconds, outcome, code, message, exchanges)
SELECT id, 1, created_at, 0.4, CASE WHEN state = 'delivered' THEN 'delivered' ELSE 'refused' END, '', '', '[]'
FROM rules_delivery WHERE created_at > now() - interval '30 days'
""",
    """
INSERT INTO accounts_event (owner, type, at, data)
SELECT d.owner, kind, d.created_at, jsonb_build_object('crm', c.crm, 'crmAccountID', c.id,
    'quizID', d.quiz_id, 'answerID', 'a' || d.id, 'deliveryID', d.id, 'state', d.state,
    'heldBecause', d.held_because, 'leadID', d.remote_id)
FROM rules_delivery d JOIN accounts_account c ON c.id = d.account_id,
    LATERAL (SELECT CASE d.state WHEN 'delivered' THEN 'delivery.delivered'
             ELSE 'delivery.held' END AS became) s,
    LATERAL unnest(array['answer.accepted', became]) kind
WHERE d.created_at > now() - interval '30 days' ORDER BY d.id
""",
    """
INSERT INTO rules_outcome (delivery_id, account_id, owner, quiz_id, record_id, link, status, created_at,
    updated_at, changed_at, next_look_at)
SELECT id, account_id, owner, quiz_id, id::text, '', (array['open', 'won', 'lost'])[1 + id %% 3],
    delivered_at, delivered_at, delivered_at, now() + interval '1 hour' + random() * interval '1 day'
FROM rules_delivery WHERE state = 'delivered'
""",
    "INSERT INTO rules_answertraits (answer_id, revision, source, medium, campaign, page, options)"
    " SELECT id, 1, '', '', '', '', '{}' FROM rules_answer",
    """
CREATE TEMPORARY TABLE counted AS
SELECT *, jsonb_build_array(answers, leads, open, won, lost, 0, '{}'::jsonb) AS told FROM (
    SELECT (d.created_at AT TIME ZONE %(zone)s)::date AS day, d.owner, c.crm, d.account_id, d.quiz_id,
        count(*) AS answers, count(o.id) AS leads, count(*) FILTER (WHERE o.status = 'open') AS open,
        count(*) FILTER (WHERE o.status = 'won') AS won, count(*) FILTER (WHERE o.status = 'lost') AS lost
    FROM rules_delivery d JOIN accounts_account c ON c.id = d.account_id
    LEFT JOIN rules_outcome o ON o.delivery_id = d.id GROUP BY 1, 2, 3, 4, 5
) days
""",
    f"""
INSERT INTO rules_dayconversion (day, crm, owner, account_id, quiz_id, whole, answers, leads, open, won, lost,
    gone, sums, parts)
SELECT day, crm, owner, account_id, quiz_id, true, answers, leads, open, won, lost, 0, '{{}}',
    {NAMELESS} || jsonb_build_object('person', jsonb_build_object(account_id || ':', told),
        'route', jsonb_build_object(account_id || ':' || quiz_id || ':', told)) FROM counted
""",
    f"""
INSERT INTO rules_dayconversion (day, crm, owner, whole, answers, leads, open, won, lost, gone, sums, parts)
SELECT day, coalesce(crm, ''), '', true, answers, leads, open, won, lost, 0, '{{}}', {NAMELESS} FROM (
    SELECT *, jsonb_build_array(answers, leads, open, won, lost, 0, '{{}}'::jsonb) AS told FROM (
        SELECT day, crm, sum(answers) AS answers, sum(leads) AS leads, sum(open) AS open, sum(won) AS won,
            sum(lost) AS lost FROM counted GROUP BY GROUPING SETS ((day, crm), (day))
    ) days
) told
""",
    """
INSERT INTO rules_dayfigures (day, account_id, numbers, counted_at, seconds)
SELECT day, account_id, jsonb_build_object('hours', jsonb_build_object('12', jsonb_build_object(crm,
    jsonb_build_array(leads, 0))), 'seconds', jsonb_build_object('', '[0.5, 0.9]'::jsonb, crm,
    '[0.5, 0.9]'::jsonb)), now(), 5 FROM counted
UNION ALL
SELECT day, NULL, jsonb_build_object('hours', jsonb_object_agg(hour, by_crm), 'seconds',
    '{"": [0.5, 0.9], "amocrm": [0.5, 0.9], "bitrix24": [0.5, 0.9]}'::jsonb), now(), 5
FROM (SELECT day, jsonb_object_agg(crm, jsonb_build_array(leads / 24, 0)) AS by_crm
      FROM (SELECT day, crm, sum(leads) AS leads FROM counted GROUP BY 1, 2) a GROUP BY day) b,
    generate_series(0, 23) hour GROUP BY day
""",
    """
UPDATE accounts_lane l SET next_due = found.due FROM (
    SELECT account_id, min(due_at) AS due FROM rules_delivery WHERE state = 'waiting' GROUP BY account_id
) found WHERE l.account_id = found.account_id
""",
    """
UPDATE accounts_lane l SET look_at = found.due FROM (
    SELECT account_id, min(next_look_at) AS due FROM rules_outcome GROUP BY account_id
) found WHERE l.account_id = found.account_id
""",
)

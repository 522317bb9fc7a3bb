"""Accounts and deliveries of half a year, written by PostgreSQL: nothing of them is due, and one account in a
hundred has something that is held.

Rows are numbered as they were made. Keys are not checked and triggers are off, which would take longer than
everything else; lanes are reckoned at the end.
"""

from __future__ import annotations

from django.db import connection

from tests.benchmarks.ground import say

QUIZ = 1001  # of the account with half of the deliveries
BIGGEST, SMALL = "q1", "q77"
HELD, WAITING = 0.02, 0.005  # shares


def fill(accounts: int, deliveries: int) -> None:
    sizes = {
        "accounts": accounts,
        "rows": deliveries,
        "most": deliveries // 2,
        "held": HELD,
        "waiting": WAITING,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        for statement in STATEMENTS:
            say(" ".join(statement.split()[:3]))
            cursor.execute(statement, sizes)
        cursor.execute("RESET session_replication_role")
        for name in TABLES:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
            )
        cursor.execute("VACUUM ANALYZE")  # as autovacuum leaves tables that have grown


TABLES = ("accounts_account", "rules_rule", "rules_answer", "rules_delivery", "rules_attempt")
STATEMENTS = (
    """
INSERT INTO accounts_account (id, account_id, crm, remote_id, host, name, subdomain, country, user_id,
    user_name, user_email, user_role, user_group, facts, state, state_reason, state_since, deleted,
    send_again,
    created_at, connected_at, next_sync_at, synced_at)
SELECT g, 'q' || g, (array['amocrm', 'bitrix24', 'envybox', 'solos'])[1 + g %% 4], 'r' || g,
    'h' || g || '.amocrm.ru', 'Account ' || g, 'h' || g, 'RU', '1', 'Owner', 'o@example.ru', '', '',
    '{"mark_field": 123, "zone": "Europe/Moscow"}',
    CASE WHEN g %% 50 = 0 THEN 'needs_reconnect' WHEN g %% 97 = 0 THEN 'paused' ELSE 'active' END, '',
    now() - interval '9 days', false, false, now() - interval '200 days', now() - interval '9 days',
    now() + interval '3 hours', now() - interval '8 days'
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
    """
INSERT INTO rules_answer (id, account_id, quiz_id, answer_id, payload, digest, contact_keys, created_at)
SELECT g, 'q' || a, 1000 + a, 'a' || g,
    jsonb_build_object('quizID', 1000 + a, 'contact',
        jsonb_build_object('name', 'Anna', 'phone', '+7' || (9000000000 + g))),
    md5(g::text) || md5(g::text), array['phone:+7' || (9000000000 + g)],
    now() - interval '180 days' * (1 - g::float / %(rows)s)
FROM generate_series(1, %(rows)s) g,
    LATERAL (SELECT CASE WHEN g %% 2 = 0 THEN 1 ELSE 1 + g %% %(accounts)s END AS a) o
""",
    """
INSERT INTO rules_delivery (id, answer_id, rule_id, account_id, owner, quiz_id, uid, state, held_because,
    due_at, attempts_made, strikes, look_first, contact_keys, steps, losses, remote_id, remote_link,
    error_code, error, remedy, created_at, updated_at, delivered_at)
SELECT id, id, quiz_id - 1000, quiz_id - 1000, account_id, quiz_id, 'qz' || lpad(id::text, 16, '0'), s,
    CASE WHEN s = 'held' THEN
        (array['refused', 'gave_up', 'fix_rule', 'look_first', 'stale', 'refused'])[1 + id %% 6] ELSE '' END,
    CASE WHEN s = 'waiting' THEN now() + interval '1 day' ELSE created_at END, 1, 0, false,
    array['phone:+7' || (9000000000 + id)], jsonb_build_object('lead', id::text), '[]', id::text,
    'https://h.amocrm.ru/leads/' || id, '', '', '', created_at, created_at,
    CASE WHEN s = 'delivered' THEN created_at END
FROM rules_answer,
    LATERAL (SELECT CASE
    WHEN (id * 7919) %% 1000 < 1000 * %(held)s AND quiz_id %% 100 = 1 THEN 'held'
    WHEN (id * 7919) %% 1000 < 1000 * (%(held)s + %(waiting)s) THEN 'waiting' ELSE 'delivered' END AS s) t
""",
    """
INSERT INTO rules_attempt (delivery_id, number, started_at, seconds, outcome, code, message, exchanges)
SELECT id, 1, created_at, 0.4, CASE WHEN state = 'delivered' THEN 'delivered' ELSE 'refused' END, '', '', '[]'
FROM rules_delivery WHERE created_at > now() - interval '30 days'
""",
    """
INSERT INTO rules_outcome (delivery_id, account_id, owner, quiz_id, record_id, link, status, created_at,
    updated_at, changed_at, next_look_at)
SELECT id, account_id, owner, quiz_id, id::text, '', (array['open', 'won', 'lost'])[1 + id %% 3],
    delivered_at, delivered_at, delivered_at, now() + interval '1 hour' + random() * interval '1 day'
FROM rules_delivery WHERE state = 'delivered'
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

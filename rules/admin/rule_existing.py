"""What is written into contacts that the CRM has already, on a rule's page; in words for its versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from accounts.texts import said as in_words
from connectors.draft import Target
from connectors.registry import connector_class
from crm_cache import lookup
from rules.admin.offers import RECORDS
from rules.mapping.existing import BY_NAME, MODES, NAMED, USUAL, WORDS, fields_named, read_modes, words_of
from rules.models import Rule
from rules.serializers.extra_existing import RECORDS as KEYS


def existing_editor(rule: Rule, fields: Sequence[Target]) -> dict[str, Any]:
    """What the script beside the page edits with; nothing of what the CRM can't do."""
    can = connector_class(rule.account.crm).can
    return {
        "own": can.tells_owner,
        "records": [
            {
                "key": key,
                "title": str(RECORDS[record]),
                "fields": [
                    *((one, in_words(NAMED[one]).capitalize()) for one in BY_NAME),
                    *(
                        (one.remote_id, one.name or one.remote_id)
                        for one in fields
                        if one.entity == can.entities[record] and one.code not in BY_NAME
                    ),
                ],
            }
            for key, record in KEYS.items()
            if record in can.existing
        ],
        "usual": [(mode, in_words(WORDS[mode])) for mode in USUAL],
        "modes": [(mode, in_words(WORDS[mode])) for mode in MODES],
        "texts": {
            "heading": _("If the CRM has the person already"),
            "help": _(
                "What is not written stands in the note; what was there before is shown with each delivery. "
                "Phones, e-mails and messengers are added and never replaced."
            ),
            "own": _("The lead goes to whoever looks after the contact already"),
            "usual": _("Fields"),
            "append": _("Add the phones, e-mails and messengers that it lacks"),
            "add_field": _("Add a rule for one field"),
            "mode": _("What becomes of it"),
        },
    }


def told_existing(rule: Rule, existing: Mapping[str, Any]) -> dict[str, str]:
    """Whom it is about, and what becomes of it."""
    named = lookup.by_key(lookup.fields(rule.account) if any(fields_named(existing)) else ())
    modes, entities = read_modes(existing, {}, {}, existing), connector_class(rule.account.crm).can.entities
    return {in_words(who): in_words(words) for who, words in words_of(modes, named, entities)}

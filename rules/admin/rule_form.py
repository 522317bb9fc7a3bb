"""The form of a rule: people, pipelines and steps by name, maps by pickers and checked key by key."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.settings import api_settings
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Account
from accounts.rest.values import BIGGEST
from accounts.texts import said as in_words
from accounts.texts import say
from connectors.base import Choice
from connectors.registry import connector_class
from crm_cache.models import Field, Tag
from rules.admin.offers import BETWEEN, Choices, entries, performers, placed, placements
from rules.admin.rule_editor import PickerWidget
from rules.admin.rule_routes import checked_extra, extra_of, in_places
from rules.admin.versions import who_did
from rules.mapping.rule_snapshot import is_wish, questions_of, tags_of
from rules.models import Rule, RuleVersion
from rules.rule_save import foreign_tags, wrong_options, wrong_tasks
from rules.serializers import dialect_of

COLUMNS = ("fields_rule", "tags_to_add", "extra")
NUMBER = r"^[0-9]{0,18}\Z"
SEEN = "seen"  # the version that the page shows, by its key
CHOICE = "choice_"  # in front of the key of what only this CRM asks for


class PickedJson(forms.JSONField):
    """JSON that a person edits by pickers (``rules.admin.rule_editor``)."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(required=False, widget=PickerWidget(kind), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, (dict, list)):
            return json.dumps(value, ensure_ascii=False, indent=2)
        return super().prepare_value(value)

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        if found in (None, ""):
            return {}
        if not isinstance(found, dict):
            raise forms.ValidationError(say("It has to be an object: {{ … }}."))
        return found


class RuleForm(forms.ModelForm):
    """``form_for`` adds a field for each choice that the CRM names."""

    offered: ClassVar[tuple[Choice, ...]] = ()
    new_performer = forms.ChoiceField(label=_("Responsible"), required=False, widget=UnfoldAdminSelect2Widget)
    placement = forms.ChoiceField(
        label=_("Pipeline and step"), required=False, widget=UnfoldAdminSelect2Widget
    )
    fields_rule = PickedJson("fields", label=_("Questions into fields"))
    tags_to_add = PickedJson("tags", label=_("Tags to add"))
    extra = PickedJson("routes", label=_("Conditions and routes"))

    class Meta:
        model = Rule
        fields = COLUMNS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "placement" not in self.fields or not self.instance.pk:
            return
        rule: Rule = self.instance
        self.initial["extra"] = extra_of(rule)
        self._offer("new_performer", performers(rule.account, rule.performer), rule.performer)
        self._offer("placement", placements(rule), placed(rule))
        for choice in self.offered:
            now = said(rule, choice)
            if choice.typed:
                self.initial[CHOICE + choice.key] = now
            else:
                self._offer(CHOICE + choice.key, entries(rule.account, choice, now), now)

    def clean_fields_rule(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data["fields_rule"]
        self._refuse(wrong_fields(found))
        if "fields_rule" not in self.changed_data:
            return found
        read, errors = as_over_rest(self.instance.account.crm, found)
        self._refuse(errors)
        return read

    def clean_tags_to_add(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data["tags_to_add"]
        self._refuse(
            wrong_tags(found)
            or [
                say("{where}: {what}", where=slot, what=in_words(words))
                for slot, words in foreign_tags(self.instance.account, found)
            ]
        )
        return found

    def clean_extra(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data["extra"]
        if "extra" not in self.changed_data:
            stored: dict[str, Any] = self.instance.extra
            return stored
        read, errors = checked_extra(self.instance.account, found)
        self._refuse(errors + in_places(wrong_options(self.instance, read.get("options", ()))))
        return read

    def clean(self) -> dict[str, Any] | None:
        """What no part says by itself. What only saving would find comes too late: the page would be drawn
        anew, without what the person chose."""
        found: dict[str, Any] | None = super().clean()
        self._refuse(saved_since(self.instance, self.data.get(SEEN, "")))
        if not self.errors and self.instance.pk and "placement" in self.fields:
            for sentence in in_places(wrong_tasks(self._imagined())):
                self.add_error("extra", sentence)
        return found

    def changes(self) -> dict[str, Any]:
        """What the person changed, in the words of ``rules.rule_save``."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data if name in COLUMNS}
        if "new_performer" in self.changed_data:
            changed["performer"] = self.cleaned_data["new_performer"]
        if "placement" in self.changed_data:
            pipeline, __, step = self.cleaned_data["placement"].partition(BETWEEN)
            changed |= {"pipeline": pipeline, "step": step}
        return changed

    def new_choices(self) -> dict[str, Any]:
        """The choices that the person changed; the others stay."""
        changed = [choice for choice in self.offered if CHOICE + choice.key in self.changed_data]
        chosen = {choice: self.cleaned_data[CHOICE + choice.key] for choice in changed}
        return {one.key: what == "yes" if one.is_flag else what for one, what in chosen.items()}

    def _imagined(self) -> Rule:
        """The rule with what the person changed; the instance stays as it is."""
        rule: Rule = copy.copy(self.instance)
        rule.choices = {**rule.choices, **self.new_choices()}
        for name, value in self.changes().items():
            setattr(rule, name, value)
        return rule

    def _offer(self, name: str, choices: Choices, now: str) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]
        self.initial[name] = now

    def _refuse(self, errors: list[str]) -> None:
        if errors:
            raise forms.ValidationError(errors)


def saved_since(rule: Rule, seen: str) -> list[str]:
    """What to tell whoever had the page of version ``seen`` open while somebody else saved the rule: what
    they left alone would be put back to what it was."""
    if not seen.isascii() or not seen.isdecimal():
        return []
    saves = rule.versions.filter(event__in=[RuleVersion.Event.CHANGED, RuleVersion.Event.RESTORED])
    newer = saves.filter(pk__gt=min(int(seen), BIGGEST)).first()
    if newer is None:
        return []
    told = say(
        "Not saved: version {number} was saved while this page was open ({who}). Compare it under “Versions”;"
        " what is here replaces it when you save once more.",
        number=newer.number,
        who=who_did(newer),
    )
    return [told]


def form_for(crm: str) -> type[RuleForm]:
    """The form with what only this CRM asks for."""
    offered = connector_class(crm).can.choices
    inputs = {CHOICE + one.key: _input(one) for one in offered}
    return type("RuleForm", (RuleForm,), {**inputs, "offered": offered})


def _input(choice: Choice) -> forms.Field:
    """A number, or a select of a directory's entries or of yes and no."""
    label = in_words(choice.word)
    if choice.typed:
        return forms.RegexField(NUMBER, label=label, required=False, widget=UnfoldAdminTextInputWidget)
    return forms.ChoiceField(label=label, required=False, widget=UnfoldAdminSelectWidget)


def choice_names(crm: str) -> tuple[str, ...]:
    """The form's fields for what only this CRM asks for."""
    return tuple(CHOICE + one.key for one in connector_class(crm).can.choices)


def said(rule: Rule, choice: Choice) -> str:
    """What the rule says today, as the form has it."""
    now = rule.choices.get(choice.key)
    if not choice.is_flag:
        return str(now or "")
    return "yes" if (choice.default if now is None else now) is True else "no"


def told_choices(rule: Rule) -> list[tuple[str, str]]:
    """What only this CRM asks for, in words: (what, what the rule says)."""
    told = []
    for choice in connector_class(rule.account.crm).can.choices:
        now = said(rule, choice)
        words = now if choice.typed else dict(entries(rule.account, choice, now)).get(now, now)
        told.append((in_words(choice.word), str(words)))
    return told


def as_over_rest(crm: str, found: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The map as the CRM's contract stores it, with its numbers or texts, and what it says against it."""
    try:
        read: dict[str, Any] = dialect_of(crm).read({"FieldsRule": dict(found)}, partial=True)
    except ValidationError as exc:
        return {}, list(_sentences(exc.detail))
    return read.get("fields_rule", dict(found)), []


def _sentences(detail: Any, path: str = "") -> Iterator[str]:
    """Every sentence of the contract's complaint with the key it is about, from the kind of record on."""
    for key, what in detail.items() if isinstance(detail, dict) else enumerate(detail):
        if not isinstance(what, (dict, list)):
            where = path.partition(".")[2] or path
            yield f"{where[:1].lower()}{where[1:]}: {what}"
        elif isinstance(key, int):
            yield from _sentences(what, f"{path}[{key}]")
        else:
            inner = "" if key == api_settings.NON_FIELD_ERRORS_KEY else f".{key}"
            yield from _sentences(what, f"{path}{inner}".strip("."))


def wrong_fields(found: Mapping[str, Any]) -> list[str]:
    """What is wrong with a map of questions, each sentence naming its key."""
    return [error for entity, parts in found.items() for error in _wrong_parts(entity, parts)]


def _wrong_parts(entity: str, parts: Any) -> Iterator[str]:
    listed = parts if isinstance(parts, list) else [parts]
    for number, part in enumerate(listed):
        where = f"{entity}[{number}]" if isinstance(parts, list) else entity
        if not isinstance(part, dict):
            yield say("{where}: an object is needed, with QuestionID in it.", where=where)
            continue
        for key in ("QuestionID", "ContactRuleMap"):
            if key in part:
                yield from _wrong_map(f"{where}.{key}", part[key])


def _wrong_map(where: str, found: Any) -> Iterator[str]:
    if not isinstance(found, dict):
        yield say("{where}: an object is needed, from question ids to field ids.", where=where)
        return
    for question, field in found.items():
        if isinstance(field, bool) or not isinstance(field, (int, str)):
            yield say(
                '{where}.{question}: a field is needed, by its id or code; 0 or "" has one made.',
                where=where,
                question=question,
            )


def wrong_tags(found: Mapping[str, Any]) -> list[str]:
    errors = [
        say("{key}: a list of tags is needed.", key=key)
        for key, items in found.items()
        if not isinstance(items, list)
    ]
    return errors + [
        say("{key}[{number}]: a tag's id or its text is needed.", key=key, number=number)
        for key, items in found.items()
        for number, item in enumerate(items if isinstance(items, list) else [])
        if isinstance(item, bool) or not isinstance(item, (int, str))
    ]


def named_questions(rule: Rule) -> list[tuple[str, str, str, str]]:
    """(kind of record, question or «tag», field or tag by name, id) for everything the rule maps."""
    entities = connector_class(rule.account.crm).can.entities
    asked = list(questions_of(rule.fields_rule))
    names = field_names(rule.account, {field for _, _, field in asked if not is_wish(field)})
    mapped = [
        (e, say("question {q}", q=q), _named(names.get((entities.get(e, e), f)), f), f) for e, q, f in asked
    ]
    tagged = list(tags_of(rule.tags_to_add))
    keys = [item for _, item in tagged if isinstance(item, int)]
    tags = {row.pk: _alive(row) for row in Tag.objects.filter(account=rule.account, pk__in=keys)}
    return mapped + [
        (e, say("tag"), tags.get(t, say("not in the CRM")) if isinstance(t, int) else t, str(t))
        for e, t in tagged
    ]


def field_names(account: Account, wanted: set[str]) -> dict[tuple[str, str], str]:
    """Names by (kind of record, id or code)."""
    if not wanted:
        return {}
    rows = Field.objects.filter(Q(remote_id__in=wanted) | Q(code__in=wanted), account=account)
    return {(row.entity, key): _alive(row) for row in rows for key in {row.remote_id, row.code} & wanted}


def _named(name: str | None, remote_id: str) -> str:
    return name or (say("still to be made") if is_wish(remote_id) else say("not in the CRM"))


def _alive(row: Field | Tag) -> str:
    return say("{name} (gone)", name=row.name) if row.deleted else row.name

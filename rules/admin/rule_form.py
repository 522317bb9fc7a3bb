"""The form of a rule: people, pipelines and steps by name, maps as JSON that is checked key by key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts.models import Account
from connectors.registry import connector_class
from crm_cache import lookup
from crm_cache.models import CrmUser, Field, Pipeline, Step, Tag
from rules.book import questions_of, tags_of
from rules.models import Rule

Choices = list[tuple[str, Any]]
DEFAULT = ("", "The CRM's own default")
BETWEEN = "|"  # a step's id says nothing without its pipeline's: some CRMs repeat them in every pipeline


class ReadableJson(forms.JSONField):
    """JSON that a person can read and edit."""

    def __init__(self, rows: int, **kwargs: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": rows, "class": "desk-json", "spellcheck": "false"})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, (dict, list)):
            return json.dumps(value, ensure_ascii=False, indent=2)
        return super().prepare_value(value)

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        if found in (None, ""):
            return {}
        if not isinstance(found, dict):
            raise forms.ValidationError("It has to be an object: { … }.")
        return found


class RuleForm(forms.ModelForm):
    new_performer = forms.ChoiceField(label="Responsible", required=False, widget=UnfoldAdminSelectWidget)
    placement = forms.ChoiceField(label="Pipeline and step", required=False, widget=UnfoldAdminSelectWidget)
    fields_rule = ReadableJson(
        rows=14,
        label="Questions into fields",
        help_text="Per kind of record: maps from a question's id to the CRM's field id; 0 has a field made.",
    )
    tags_to_add = ReadableJson(rows=8, label="Tags to add", help_text="Per kind of record: a list of tags.")
    choices = ReadableJson(rows=4, label="What only this CRM asks for")

    class Meta:
        model = Rule
        fields = ("fields_rule", "tags_to_add", "choices")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "placement" not in self.fields or not self.instance.pk:
            return
        rule: Rule = self.instance
        self._offer("new_performer", performers(rule.account, rule.performer), rule.performer)
        self._offer("placement", placements(rule.account, _placed(rule)), _placed(rule))

    def clean_fields_rule(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data["fields_rule"]
        self._refuse(wrong_fields(found))
        return found

    def clean_tags_to_add(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data["tags_to_add"]
        self._refuse(wrong_tags(found) or foreign_tags(self.instance.account, found))
        return found

    def changes(self) -> dict[str, Any]:
        """What the person changed, in the words of ``rules.saving``."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}
        if "new_performer" in self.changed_data:
            changed["performer"] = self.cleaned_data["new_performer"]
        if "placement" in self.changed_data:
            pipeline, _, step = self.cleaned_data["placement"].partition(BETWEEN)
            changed |= {"pipeline": pipeline, "step": step}
        return changed

    def _offer(self, name: str, choices: Choices, now: str) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]
        self.initial[name] = now

    def _refuse(self, errors: list[str]) -> None:
        if errors:
            raise forms.ValidationError(errors)


def performers(account: Account, now: str) -> Choices:
    """Who works there, and whoever the rule names today even if they left."""
    people = CrmUser.objects.filter(account=account)
    rows = people.filter(deleted=False, active=True).order_by("name").values_list("remote_id", "name")
    offered = [DEFAULT, *((remote_id, name or remote_id) for remote_id, name in rows)]
    if now in dict(offered):
        return offered
    gone = people.filter(remote_id=now).first()
    return [*offered, (now, f"{gone or 'User ' + now} (not available any more)")]


def placements(account: Account, now: str) -> Choices:
    """Steps under their pipelines."""
    steps: dict[tuple[str, str], Choices] = {}
    for step in Step.objects.filter(account=account, deleted=False).order_by("sort", "id"):
        key = f"{step.pipeline_id}{BETWEEN}{step.remote_id}"
        steps.setdefault((step.entity, step.pipeline_id), []).append((key, str(step)))
    offered: Choices = [DEFAULT]
    for line in Pipeline.objects.filter(account=account, deleted=False).order_by("sort", "id"):
        first = (f"{line.remote_id}{BETWEEN}", "First step")
        offered.append((str(line), [first, *steps.get((line.entity, line.remote_id), [])]))
    known = {key for _, group in offered[1:] for key, _ in group} | {""}
    if now in known:
        return offered
    return [*offered, (now, f"{_gone(account, now)} (not in the CRM any more)")]


def _gone(account: Account, placed: str) -> str:
    """What our cache still knows of a place that the CRM no longer has."""
    pipeline_id, _, step_id = placed.partition(BETWEEN)
    pipeline = Pipeline.objects.filter(account=account, remote_id=pipeline_id).first()
    step = Step.objects.filter(account=account, pipeline_id=pipeline_id, remote_id=step_id).first()
    return f"{pipeline or pipeline_id} / {step or step_id or 'first step'}"


def _placed(rule: Rule) -> str:
    return f"{rule.pipeline}{BETWEEN}{rule.step}" if rule.pipeline or rule.step else ""


def wrong_fields(found: Mapping[str, Any]) -> list[str]:
    """What is wrong with a map of questions, each sentence naming its key."""
    return [error for entity, parts in found.items() for error in _wrong_parts(entity, parts)]


def _wrong_parts(entity: str, parts: Any) -> Iterator[str]:
    listed = parts if isinstance(parts, list) else [parts]
    for number, part in enumerate(listed):
        where = f"{entity}[{number}]" if isinstance(parts, list) else entity
        if not isinstance(part, dict):
            yield f"{where}: an object is needed, with QuestionID in it."
            continue
        for key in ("QuestionID", "ContactRuleMap"):
            if key in part:
                yield from _wrong_map(f"{where}.{key}", part[key])


def _wrong_map(where: str, found: Any) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"{where}: an object is needed, from question ids to field ids."
        return
    for question, field in found.items():
        if isinstance(field, bool) or not isinstance(field, (int, str)) or field == "":
            yield f"{where}.{question}: a field id is needed, a number or a text."


def wrong_tags(found: Mapping[str, Any]) -> list[str]:
    errors = [
        f"{key}: a list of tags is needed." for key, items in found.items() if not isinstance(items, list)
    ]
    return errors + [
        f"{key}[{number}]: a tag's id or its text is needed."
        for key, items in found.items()
        for number, item in enumerate(items if isinstance(items, list) else [])
        if isinstance(item, bool) or not isinstance(item, (int, str))
    ]


def foreign_tags(account: Account, found: Mapping[str, Any]) -> list[str]:
    numbers = {item: key for key, item in tags_of(found) if isinstance(item, int)}
    known = lookup.tags_by_pk(account, numbers)
    return [f"{key}: {item} is no tag of this account." for item, key in numbers.items() if item not in known]


def named_questions(rule: Rule) -> list[tuple[str, str, str, str]]:
    """(kind of record, question or «tag», field or tag by name, id) for everything the rule maps."""
    entities = connector_class(rule.account.crm).can.entities
    asked = list(questions_of(rule.fields_rule))
    fields = Field.objects.filter(account=rule.account, remote_id__in={field for _, _, field in asked})
    names = {(row.entity, row.remote_id): _alive(row) for row in fields}
    mapped = [(e, f"question {q}", _named(names.get((entities.get(e, e), f)), f), f) for e, q, f in asked]
    tagged = list(tags_of(rule.tags_to_add))
    keys = [item for _, item in tagged if isinstance(item, int)]
    tags = {row.pk: _alive(row) for row in Tag.objects.filter(account=rule.account, pk__in=keys)}
    return mapped + [
        (e, "tag", tags.get(t, "not in the CRM") if isinstance(t, int) else t, str(t)) for e, t in tagged
    ]


def _named(name: str | None, remote_id: str) -> str:
    return name or ("still to be made" if remote_id == "0" else "not in the CRM")


def _alive(row: Field | Tag) -> str:
    return f"{row.name} (gone)" if row.deleted else row.name

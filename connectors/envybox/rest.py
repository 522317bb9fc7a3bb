"""What REST shows of Envybox, whose wire is ours to name (``connectors.base.RestShape``)."""

from __future__ import annotations

from connectors.base import RestShape

REST = RestShape(
    longest_secret=200,
    texts={
        "Account": "An Envybox account.",
        "Account.envyboxID": "id of the CRM in Envybox",
        "Account.name": "what the CRM is called there",
        "Account.subdomain": "subdomain, the whole host of a white-label address",
        "Account.stale": "the key no longer works: connect again with a new one",
        "Connect.api_key": "the key from Settings - Integrations - API; it is never shown again",
        "accountID": "id of the CRM in Envybox",
        "User": "Somebody who can be responsible; 0 is the administrator.",
        "User.role": "profession",
        "Pipeline.entity": "deal or lead; rules name pipelines of deals",
        "Step": "A stage of a pipeline, or a kind of incoming request (entity inbox_type, no pipeline).",
        "Step.pipelineID": "envyboxID of the pipeline, empty outside of pipelines",
        "Step.entity": "deal, lead or inbox_type",
        "Field.entity": "lead, deal or client",
        "Field.type": "Envybox's number: 1 number, 2 text, 3 list, 9 money, others",
        "Field.code": "crm_<id>",
        "FieldRule": "Keys are question ids, values are custom fields: ``envyboxID`` or ``code``.",
        "ContactRule": "``ContactRuleMap``: contact field name to custom field of the client; derived where "
        "it is empty.",
        "Rule.PerformerID": "envyboxID of the person responsible; 0 is the administrator",
        "Rule.PipelineID": "envyboxID of the deals' pipeline; empty is the main one",
        "Rule.StepID": "envyboxID of the deal's step; needs its pipeline",
        "Rule.LeadFlag": "leave it a lead; false takes it into work at once, which makes the deal",
        "Rule.QueueMode": "through the queue, which makes no duplicates and takes a moment longer",
    },
)

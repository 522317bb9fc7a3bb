"""amoCRM's lists as its contract has them: names, order and types of every property (D11, D12, D20, D21)."""

from __future__ import annotations

from rest_framework.serializers import BooleanField, IntegerField

from accounts.rest.values import number, unix
from crm_cache.serializers.shape import DELETED, list_shape, of_account, of_row

ID = of_row("pk", "id in our system, primary key", IntegerField)
ACCOUNT = of_account("remote_id", "amoCRM account id", IntegerField, number)
CREATED_AT = of_row("created_at", "when it came into our system, Unix seconds", IntegerField, unix)
ENTITIES = "leads, contacts, companies or customers"

USERS = list_shape(
    "users",
    "User",
    {
        "ID": ID,
        "AccountID": of_account("account_id", "quiz account, the id from the token"),
        "AmoID": of_row("remote_id", "user id in amoCRM", IntegerField, number),
        "Name": of_row("name", "user name in amoCRM"),
        "Email": of_row("email", "user e-mail from amoCRM"),
        "Role": of_row("role", "name of the user's role in amoCRM"),
        "Group": of_row("group_id", "id of the user's group in amoCRM", IntegerField, number),
        "Deleted": DELETED,
        "CreatedAt": CREATED_AT,
        "Subdomain": of_account("subdomain", "the organisation's subdomain"),
        "Amoiserid": of_account(
            "user_id", "amoCRM id of the user who connected the integration", IntegerField, number
        ),
        "Country": of_account("country", "country from the amoCRM account's settings"),
    },
    "UserListResp",
    ("GettingUserWithPagination", "UpdateListUsers"),
    "main",
)
PIPELINES = list_shape(
    "pipelines",
    "Pipeline",
    {
        "ID": ID,
        "AmoID": of_row("remote_id", "pipeline id in amoCRM", IntegerField, number),
        "AccountID": ACCOUNT,
        "Name": of_row("name", "pipeline name in amoCRM"),
        "IsArchive": of_row("archived", "whether the pipeline is archived in amoCRM", BooleanField),
        "Deleted": DELETED,
        "CreatedAt": CREATED_AT,
    },
    "UserListPipelinesResp",
    ("GetPipelinesWithPagination", "UpdateListPipelines"),
    "main",
)
STEPS = list_shape(
    "steps",
    "Step",
    {
        "ID": ID,
        "AmoID": of_row("remote_id", "step id in amoCRM", IntegerField, number),
        "PipelineID": of_row("pipeline_id", "pipeline id in amoCRM", IntegerField, number),
        "AccountID": ACCOUNT,
        "Name": of_row("name", "step name in amoCRM"),
        "Color": of_row("color", "colour of the step in amoCRM"),
        "Deleted": DELETED,
        "CreatedAt": CREATED_AT,
    },
    "UserListStepsResp",
    ("GetStepsWithPagination", "UpdateListSteps"),
    "main",
    filters={"pipelineID": "pipeline_id"},
)
FIELDS = list_shape(
    "fields",
    "Field",
    {
        "ID": ID,
        "AmoID": of_row("remote_id", "custom field id in amoCRM", IntegerField, number),
        "Code": of_row("code", "code word in amoCRM"),
        "AccountID": ACCOUNT,
        "Name": of_row("name", "field name in amoCRM"),
        "EntityType": of_row("entity", ENTITIES),
        "Type": of_row("type", "amoCRM's own field type"),
        "Deleted": DELETED,
        "CreatedAt": CREATED_AT,
    },
    "UserListFieldsResp",
    ("GetFieldsWithPagination", "UpdateListCustom"),
    "main",
)
TAGS = list_shape(
    "tags",
    "Tag",
    {
        "ID": ID,
        "AmoID": of_row("remote_id", "tag id in amoCRM", IntegerField, number),
        "AccountID": ACCOUNT,
        "Entity": of_row("entity", ENTITIES),
        "Name": of_row("name", "tag name in amoCRM"),
        "Color": of_row("color", "tag colour in amoCRM"),
        "Deleted": DELETED,
        "CreatedAt": CREATED_AT,
    },
    "UserListTagsResp",
    ("GetTagsWithPagination", "UpdateListTags"),
    "main",
)
LISTS = (USERS, PIPELINES, STEPS, FIELDS, TAGS)

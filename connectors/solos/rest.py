"""What REST shows of solOS, whose wire is ours to name (``connectors.base.RestShape``).

Its lists hold what was observed in projects and what staff wrote; ``byHand`` tells which.
"""

from __future__ import annotations

from connectors.base import RestShape
from connectors.solos.auth import reads_projects

REST = RestShape(
    account=(),
    flags={"readsProjects": reads_projects},
    columns={
        "users": ("email", "group_id"),
        "pipelines": (),
        "steps": ("pipeline_id", "kind"),
        "fields": ("type",),
    },
    mapped=("lead",),
    texts={
        "Account": "A solOS account.",
        "Account.solosID": "the host of this solOS, which is all that tells it from others",
        "Account.readsProjects": "projects can be read; without it leads are delivered, lists stay as staff "
        "write them",
        "Account.subdomain": "subdomain, the whole host of an address of one's own",
        "Account.stale": "the keys no longer work: connect again with new ones",
        "Connect.token": "the token from the settings of solOS; it is never shown again",
        "Connect.secret": "the secret that belongs to the token; it is never shown again",
        "accountID": "the host of this solOS",
        "Row.solosID": "id in solOS; of a field, its code",
        "Row.name": "as solOS or staff call it, else made up: Funnel 3",
        "User.email": "e-mail, where staff wrote one",
        "User.groupID": "the group of a project that this user is responsible for",
        "Pipeline": "A sales funnel.",
        "Step": "A stage; in the order in which projects seem to go through them.",
        "Step.pipelineID": "solosID of the funnel",
        "Step.kind": "open, won or lost, as staff say",
        "Field": "A field of projects, its type guessed from values.",
        "Field.type": "string, number, date, reference or list",
        "FieldRule": "Keys are question ids, values are fields of projects (``solosID``), under whose names "
        "answers go.",
        "Rule.PipelineID": "solosID of the funnel that the lead is meant for",
        "Rule.StepID": "solosID of the funnel's step; needs its funnel",
        "Rule.SourceID": "number of the lead's source, from the settings of solOS",
    },
)

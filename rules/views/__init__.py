from rules.views.accounts import AccountsViewSet
from rules.views.answers import AnswerViewSet
from rules.views.conversion import ConversionViewSet
from rules.views.deliveries import DeliveryViewSet
from rules.views.outcomes import HookView, OutcomeViewSet
from rules.views.people import PeopleViewSet
from rules.views.preview import PreviewViewSet
from rules.views.reconciliations import ReconciliationViewSet
from rules.views.rule_life import BackfillViewSet, RuleListViewSet, RuleOptionsViewSet, RulePauseViewSet
from rules.views.rules import RuleViewSet

__all__ = [
    "AccountsViewSet",
    "AnswerViewSet",
    "BackfillViewSet",
    "ConversionViewSet",
    "DeliveryViewSet",
    "HookView",
    "OutcomeViewSet",
    "PeopleViewSet",
    "PreviewViewSet",
    "ReconciliationViewSet",
    "RuleListViewSet",
    "RuleOptionsViewSet",
    "RulePauseViewSet",
    "RuleViewSet",
]

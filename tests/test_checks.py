from dataclasses import replace

from django.core.checks import run_checks


def ids() -> set[str]:
    return {message.id for message in run_checks(include_deployment_checks=True)}


def test_local_crms_are_forbidden_in_production(settings):
    settings.SANDBOX = True
    assert "connectors.E001" in ids()
    settings.SANDBOX = False
    assert "connectors.E001" not in ids()


def test_half_of_an_integrations_keys_is_a_slip(settings):
    half = replace(settings.CRM_OPTIONS["amocrm"], client_id="x", client_secret="")
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "amocrm": half}
    assert "connectors.E002" in ids()
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "amocrm": replace(half, client_secret="y")}
    assert "connectors.E002" not in ids()

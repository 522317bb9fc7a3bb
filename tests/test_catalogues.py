"""Russian is complete: each text has its translation, with the same gaps to fill, and it is compiled."""

from __future__ import annotations

import re

import pytest

from tests.catalogues import DOMAINS, Domain, mo_bytes, untranslated, written

GAP = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")

each_domain = pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)


@each_domain
def test_nothing_is_untranslated_or_doubtful(domain: Domain):
    assert [message.id for message in untranslated(written(domain))] == []


@each_domain
def test_the_compiled_catalogue_is_the_written_one(domain: Domain):
    assert domain.mo.read_bytes() == mo_bytes(written(domain)), "make messages"


@each_domain
def test_a_translation_has_the_gaps_of_its_text(domain: Domain):
    wrong = []
    for message in written(domain):
        texts = message.id if isinstance(message.id, tuple) else (message.id,)
        gaps = set(GAP.findall(texts[-1]))
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        wrong += [(message.id, form) for form in forms if message.id and set(GAP.findall(form)) != gaps]
    assert wrong == []

"""The addresses at which CRMs tell of changed leads and contacts, and asking them to, or not to any more.

An address is unguessable and of one account. Whoever knows it can do no more than make us look: what a
notice says is never believed (``rules.outcomes.following``), so a lost, repeated or forged one does no harm.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.core.cache import cache
from django.db import OperationalError
from django.db.models import Exists, OuterRef

from accounts import db_clock, states
from accounts.access import connector_at, connector_for
from accounts.connected import NONSENSE, Held, nonsense
from accounts.models import Account, Hook, InstallKey, Unsubscription, live_accounts
from accounts.secrets import WrongKey
from accounts.worker_threads import in_time
from connectors.auth import Tokens
from connectors.errors import ConnectorError, NeedsReconnect, Refused, TryLater, Unclear
from connectors.lead_status import ChangeNotice
from connectors.messages import joined, message
from connectors.registry import CONNECTORS, connector_class

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 100
SECONDS_A_ROUND = 25
# A CRM that met too many bad replies stops telling until it is asked again; where it tells we hardly look.
ASK_AGAIN = timedelta(days=1)
REFUSED_PAUSE = timedelta(days=1)
SILENT_PAUSE = timedelta(minutes=10)
LEASE = timedelta(minutes=5)
NEW_ONES, NEW_ONES_EVERY = "hooks:new", 600  # seconds: accounts get their hook when they become active
HEARD_EVERY = timedelta(minutes=1)  # that somebody tells us is written down: notices come by the hundred
FORGET_AFTER = timedelta(hours=1)  # no token outlives the disconnecting of its account for longer


class NotOurs(Exception):
    """A notice that is none of the account's."""


def address_of(account: Account) -> str:
    """The account's address, made when it is first asked for."""
    states.expect_notices(account)
    return Hook.objects.get(account=account).url


def take(hook_pk: int, secret: str, form: Mapping[str, str]) -> tuple[Account, ChangeNotice]:
    """Whose notice it is, and what it is about. Raises ``NotOurs``."""
    keys = InstallKey.objects.filter(crm=OuterRef("account__crm"), remote_id=OuterRef("account__remote_id"))
    rows = Hook.objects.filter(pk=hook_pk, account__deleted=False).annotate(proves=Exists(keys))
    hook = rows.select_related("account").defer("account__facts").first()
    if hook is None or not hmac.compare_digest(hook.secret.encode(), secret.encode()):
        raise NotOurs("No such address")
    hint = connector_class(hook.account.crm).read_hook(form)
    _check(hook.account, hint, hook.proves)
    now = db_clock.now()
    if hook.heard_at is None or hook.heard_at < now - HEARD_EVERY:
        Hook.objects.filter(pk=hook.pk).update(heard_at=now)
    return hook.account, hint


def _check(account: Account, hint: ChangeNotice, proves: bool) -> None:
    """A notice that names an account must name this one, and prove itself where its CRM gave us a secret
    (``proves``)."""
    if hint.remote_id and hint.remote_id != account.remote_id:
        raise NotOurs("The notice is about another account")
    if not proves:
        return
    key = InstallKey.objects.filter(crm=account.crm, remote_id=account.remote_id).first()
    if key and not hmac.compare_digest(key.secret.encode(), hint.secret.encode()):
        raise NotOurs("The notice is not proven")


# -- asking -------------------------------------------------------------------------------------------------


def subscribe_due(account_id: int | None = None) -> int:
    """Ask the CRMs of accounts whose time has come (or of one of them) to post changes; how many do now."""
    kinds = [kind for kind in CONNECTORS if connector_class(kind).can.hooks]
    mine = live_accounts(state=Account.State.ACTIVE, crm__in=kinds)
    if account_id:
        mine = mine.filter(pk=account_id)
    if account_id or cache.add(NEW_ONES, 1, NEW_ONES_EVERY):
        for account in mine.filter(hook__isnull=True).order_by("pk")[:AT_ONCE]:
            address_of(account)
    due = mine.filter(hook__ask_at__lte=db_clock.now()).order_by("hook__ask_at")[:AT_ONCE]
    return sum(_subscribe_alone(account) for account in in_time(due, SECONDS_A_ROUND))


def _subscribe_alone(account: Account) -> bool:
    """As ``subscribe``; a hook that can't even be read (``WrongKey``) costs no other account its turn."""
    try:
        return subscribe(account)
    except OperationalError:
        raise  # without a database nobody's turn comes
    except Exception as exc:
        log.exception("subscribing notices broke", account=account.pk, crm=account.crm)
        words = message(
            "The address for notices could not be read or used ({name}); see the log.",
            name=type(exc).__name__,
        )
        Hook.objects.filter(account=account).update(ask_at=db_clock.now() + REFUSED_PAUSE, error=words)
        return False


def subscribe(account: Account) -> bool:
    """Ask this account's CRM, unless somebody else is asking. What it answers is in the account's hook."""
    url, now = address_of(account), db_clock.now()
    hook = Hook.objects.filter(account=account)
    if not hook.filter(ask_at__lte=now).update(ask_at=now + LEASE):
        return False
    contacts = hook.filter(contacts=True).exists()
    asked = hook.filter(contacts=contacts)  # else there is another question already, and it is due
    if error := _refusal(account, url, contacts):
        _note_failure(account, error)
        pause = states.pause_after(error, silent=SILENT_PAUSE, refused=REFUSED_PAUSE)
        asked.update(ask_at=now + pause, error=joined(" ", error.message, error.remedy))
        return False
    hook.update(asked_at=now, error="")
    asked.update(ask_at=now + ASK_AGAIN)
    log.info("notices subscribed", account=account.pk, crm=account.crm, contacts=contacts)
    return True


def want_contacts(crm: str, remote_id: str, wanted: bool) -> None:
    """A CRM's account is to tell of its contacts, too, or no longer: it is asked soon where that is new."""
    hooks = Hook.objects.filter(account__crm=crm, account__remote_id=remote_id, account__deleted=False)
    hooks.filter(contacts=not wanted).update(contacts=wanted, ask_at=db_clock.now())


def _refusal(account: Account, url: str, contacts: bool) -> ConnectorError | None:
    """Why the CRM does not post there; None where it does. One account's nonsense costs no other its turn."""
    try:
        connector_for(account).subscribe(url, contacts)
    except ConnectorError as error:
        return error
    except NONSENSE as exc:
        log.exception("the CRM answered something unexpected", account=account.pk, crm=account.crm)
        return Refused(nonsense(account, exc), code="unexpected")
    return None


def _note_failure(account: Account, error: ConnectorError) -> None:
    """Without notices the leads are looked at less often; nothing else depends on them."""
    log.warning(
        "notices not subscribed", account=account.pk, crm=account.crm, code=error.code, error=error.message
    )
    if isinstance(error, NeedsReconnect):
        states.park(account, error)


# -- asking no longer ---------------------------------------------------------------------------------------


def unsubscribe_due() -> int:
    """Have the CRMs of disconnected accounts post no more; how many have agreed.

    Whatever else they answer is taken for a no, and forgotten: a notice to an address that is gone does no
    harm. Only a CRM that is silent is asked again, until ``FORGET_AFTER``.
    """
    now = db_clock.now()
    Unsubscription.objects.filter(created_at__lt=now - FORGET_AFTER).delete()
    due = Unsubscription.objects.filter(ask_at__lte=now).order_by("ask_at").values_list("pk", flat=True)
    return sum(_unsubscribe(pk, now) for pk in in_time(due[:AT_ONCE], SECONDS_A_ROUND))


def _unsubscribe(pk: int, now: datetime) -> bool:
    rows = Unsubscription.objects.filter(pk=pk)
    if not rows.filter(ask_at__lte=now).update(ask_at=now + LEASE):
        return False
    try:
        row = rows.select_related("account").get()
        account, store = row.account, Held(Tokens(row.access))
        connector_at(account.crm, account.host, store, account.remote_id, account.facts).unsubscribe(row.url)
    except (TryLater, Unclear) as error:
        log.warning("notices not unsubscribed", unsubscription=pk, code=error.code, error=error.message)
        return False
    except (ConnectorError, WrongKey, Unsubscription.DoesNotExist, *NONSENSE) as error:
        log.warning("unsubscribing notices given up", unsubscription=pk, error=type(error).__name__)
        rows.delete()
        return False
    rows.delete()
    log.info("notices unsubscribed", account=account.pk, crm=account.crm)
    return True

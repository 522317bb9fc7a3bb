"""Who may use the admin: people, groups, and failed log-ins that lock somebody out."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.admin_base import SiteAdmin, column
from accounts.texts import say
from config.audit import AuditAdmin

__all__ = ["AccessAttemptAdmin", "AuditAdmin", "GroupAdmin", "UserAdmin"]

for model in (User, Group, AccessAttempt, AccessLog, AccessFailureLog):
    admin.site.unregister(model)


def _may_touch(request: HttpRequest, obj: Any) -> bool:
    """A superuser is nobody else's business."""
    return bool(request.user.is_superuser or obj is None or not obj.is_superuser)


VERBS = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}


def permission_in_words(permission: Permission) -> str:
    """``Подключение: просмотр``; Django keeps its own names in English."""
    verb = permission.codename.partition("_")[0]
    if permission.codename != f"{verb}_{permission.content_type.model}" or verb not in VERBS:
        return gettext(permission.name)  # one of ours
    return say("{model}: {verb}", model=capfirst(str(permission.content_type.name)), verb=VERBS[verb])


class Rights(SiteAdmin):
    """Whoever is given rights, is given those over what has pages here."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is Group:
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.related_model is Permission:
            listed = ContentType.objects.get_for_models(*self.admin_site._registry).values()
            rows = Permission.objects.filter(content_type__in=listed)
            field.queryset = rows.select_related("content_type").order_by("content_type", "codename")
            field.label_from_instance = permission_in_words
        return field


@admin.register(User)
class UserAdmin(BaseUserAdmin, Rights):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser", "last_login")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nobody gives more than there is in the groups, but whoever may do everything."""
        own = super().get_readonly_fields(request, obj)
        return own if request.user.is_superuser else (*own, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def get_actions(self, request: HttpRequest) -> Any:
        """Deleting many would not ask of whom."""
        found = super().get_actions(request)
        if not request.user.is_superuser:
            found.pop("delete_selected", None)
        return found


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, Rights):
    pass


@admin.register(AccessAttempt)
class AccessAttemptAdmin(SiteAdmin):
    """Deleting a row lets the person try again at once, and is called so. What they typed is not shown."""

    list_display = ("username", "ip_address", "failures_since_start", "locked", "attempt_time")
    search_fields = ("username", "ip_address")
    fields = ("username", "ip_address", "failures_since_start", "attempt_time", "browser")
    readonly_fields = fields

    browser = column(_("browser"), lambda attempt: attempt.user_agent)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        if delete := found.get("delete_selected"):
            found["delete_selected"] = (*delete[:2], say("Let them try again"))
        return found

    @display(description=_("locked out"), boolean=True)
    def locked(self, attempt: Any) -> bool:
        return bool(attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT)

"""The public key to which an organisation's packages are sealed."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from common.errors import BadInput, RuleBroken
from desk import standing
from desk.forms.deeds import KeyForm
from desk.hand import hand
from governance.actions import keys
from governance.queries import people


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    organisations = standing.mine(request).administers
    if not organisations:
        raise PermissionDenied
    rows = [(organisation, people.current_key(organisation)) for organisation in organisations]
    return render(request, "desk/keys.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
def register(request: HttpRequest, ref: str) -> HttpResponse:
    administered = {o.ref: o for o in standing.mine(request).administers}
    if ref not in administered:
        raise Http404
    form = KeyForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            keys.register(
                organisation=administered[ref],
                public_key=form.cleaned_data["public_key"],
                **hand(request),
            )
        except (RuleBroken, BadInput) as refusal:
            form.add_error("public_key", refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            messages.success(
                request, _("The key is registered. Packages are sealed to it from now on.")
            )
            return redirect("desk:keys")
    page = {"form": form, "organisation": administered[ref]}
    return render(request, "desk/key.html", page, status=status)

"""Answers to askings: ask, see what was prepared and withheld, take the package away."""

import json

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from audit import queries as log
from common.errors import RuleBroken
from common.words import sentence as _
from desk.hand import hand, staff
from governance import permissions
from governance.models import User
from governance.queries import requests as asked_for
from release.actions import asking as deeds
from release.actions import handing
from release.models import Release
from release.queries import readiness, releases
from release.vocabulary import DownloadPart, Ground, ReleaseState


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    return render(request, "desk/releases.html", {"releases": seen_by(staff(request))})


@require_GET
def one(request: HttpRequest, ref: str) -> HttpResponse:
    found = _visible(request, ref)
    page = {
        "release": found,
        "waits_for": _waits_for(found),
        "held_back": _held_back(staff(request), found),
        "refused_for": _labels(found) if found.state == ReleaseState.REFUSED else [],
        "manifest": json.loads(bytes(found.manifest)) if found.manifest else None,
        "downloads": found.downloads.order_by("-at")[:20],
        "may_take": found.state == ReleaseState.PREPARED
        and found.voided_at is None
        and permissions.can_ask(staff(request), found.recipient),
    }
    return render(request, "desk/release.html", page)


@require_POST
def ask(request: HttpRequest, ref: str) -> HttpResponse:
    now = hand(request)
    asked = get_object_or_404(asked_for.visible_to(now["by"], now["at"]), ref=ref)
    release = deeds.ask(request=asked, **now)
    messages.success(
        request, gettext("Asked. The answer is prepared in a moment: load this page again.")
    )
    return redirect("desk:release", ref=release.ref)


@require_POST
def package(request: HttpRequest, ref: str) -> HttpResponseBase:
    """The whole package as one zip, asked for anew at each pressing of the button."""
    found = _visible(request, ref)
    handed = handing.hand_over(release=found, part=DownloadPart.PACKAGE, **hand(request))
    response = StreamingHttpResponse(handed.chunks, content_type=handed.content_type)
    response["Content-Disposition"] = content_disposition_header(True, handed.name)
    response["Content-Length"] = str(handed.size)
    return response


@require_GET
def proof(request: HttpRequest, ref: str) -> HttpResponse:
    """Shows, with a copy of the log's checkpoint, that this answer stands in the log."""
    found = _visible(request, ref)
    if found.entry is None:
        raise RuleBroken("not_answered", _("This release has no answer yet, so nothing to prove."))
    response = HttpResponse(log.proof(found.entry), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{found.ref}.tlog-proof")
    return response


def _held_back(user: User, found: Release) -> list[tuple[str, int]]:
    """People by ground, for the holder and the board; who receives learns one band of rows only."""
    board = found.request.dataset.board
    if not permissions.can_steward(user, found.holder) and not permissions.can_sit(user, board):
        return []
    counted = sorted(found.grounds.items(), key=lambda row: (-row[1], row[0]))
    return [(str(Ground(ground).label), count) for ground, count in counted if count]


def _waits_for(found: Release) -> str:
    """Why an asking is not answered in a moment, in words that give nothing away."""
    if found.state != ReleaseState.WAITING:
        return ""
    shut = readiness.shut()
    if shut is not None and shut.code == "restored":
        return _("This service was restored from an older copy. Nothing leaves until every stop said since is back.")  # fmt: skip
    if shut is not None:
        return _("Nothing leaves at present. Whoever looks after this service can see why.")
    if readiness.holder_key(found.holder.ref) is not None:
        return _("The holder’s key is not there at present. The answer waits until it is back.")
    return ""


def _labels(found: Release) -> list[str]:
    return [str(Ground(ground).label) for ground in found.grounds]


def seen_by(user: User) -> QuerySet[Release]:
    """What one's organisations asked for, and what came of what they hold or decide about."""
    return releases.visible_to(user) | releases.held_by(user) | releases.overseen_by(user)


def _visible(request: HttpRequest, ref: str) -> Release:
    return get_object_or_404(seen_by(staff(request)), ref=ref)

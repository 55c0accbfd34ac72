"""What can be asked for: datasets, their fields and the versions that were loaded. Never a row."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from desk.hand import staff
from governance.queries import catalogue


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    rows = [
        (dataset, list(catalogue.fields(dataset)), list(dataset.versions.order_by("-number")[:3]))
        for dataset in catalogue.datasets(staff(request))
    ]
    return render(request, "desk/datasets.html", {"rows": rows})

"""Every address of the service: three doors, and beside them what watches over the service."""

from django.urls import include, path

from config import watching

urlpatterns = [
    path("healthz", watching.healthz, name="healthz"),
    path("readyz", watching.readyz, name="readyz"),
    path("metrics", watching.figures, name="metrics"),
    path("", include("portal.urls")),
    path("desk/", include("desk.urls")),
    path("api/", include("api.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.failed"

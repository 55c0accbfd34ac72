"""Every address of the service: three doors, and nothing beside them."""

from django.urls import include, path

urlpatterns = [
    path("", include("portal.urls")),
    path("desk/", include("desk.urls")),
    path("api/", include("api.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.failed"

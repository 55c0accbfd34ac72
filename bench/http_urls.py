"""Every address of the service, and the floor of bench/http.py."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import urls
from governance.vocabulary import MachineScope

handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500


class Bare(APIView):
    """The same authentication, scope and throttle, and a constant."""

    scopes = {"GET": MachineScope.DECIDE}

    def get(self, request: Request) -> Response:
        return Response({"answer": "yes"})


urlpatterns = [path("bench/bare/", Bare.as_view(), name="bare"), *urls.urlpatterns]

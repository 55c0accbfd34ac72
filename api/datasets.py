"""What can be asked for: the public catalogue, without a single count."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.described import CURSOR, described, paged
from api.endpoints import Endpoint
from api.pages import page
from governance.queries import catalogue
from governance.vocabulary import MachineScope


class Datasets(Endpoint):
    """`/api/datasets/`"""

    @extend_schema_serializer(component_name="Dataset")
    class Output(serializers.Serializer):
        @extend_schema_serializer(component_name="Field")
        class Field(serializers.Serializer):
            name = serializers.CharField()
            type = serializers.CharField()
            category = serializers.CharField(source="category.code")
            sensitivity = serializers.CharField(source="field_sensitivity")
            narrative = serializers.BooleanField()

        ref = serializers.CharField()
        name = serializers.CharField()
        title = serializers.CharField()
        holder = serializers.CharField(source="holder.ref")
        state = serializers.CharField()
        fields = Field(many=True)  # type: ignore[assignment]  # collected, then taken off the class

    @described(
        "list_datasets",
        "What can be asked for: datasets and their fields, no counts.",
        scope=MachineScope.READ,
        answers={200: paged("Dataset", Output)},
        given=[CURSOR],
    )
    def get(self, request: Request) -> Response:
        rows = catalogue.datasets(self.caller).select_related("holder")
        rows = rows.prefetch_related("fields__category")
        return Response(page(rows, request=request, output=self.Output))

"""The JSON Schema of version 1, generated from the models, for those who write an edge or a reader."""

from typing import Any

from pydantic.json_schema import models_json_schema

from wire.messages import BY_TYPE


def message_schema() -> dict[str, Any]:
    """Return JSON Schema 2020-12 with one definition per message and the map from CloudEvents type."""
    _, schema = models_json_schema(
        [(model, "serialization") for model in BY_TYPE.values()],
        ref_template="#/$defs/{model}",
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Gatehouse messages, version 1: the data of each CloudEvent, by its type",
        "x-cloudevents-types": {
            name: f"#/$defs/{model.__name__}" for name, model in sorted(BY_TYPE.items())
        },
        **schema,
    }

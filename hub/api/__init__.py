"""The hub's REST API and event stream, under ``/api/v1``.

In: HTTP requests with a bearer token. Out: JSON, or an RFC 9457 problem. Nothing is answered without a token.
`create_app` makes the application around what the composition root hands over; `openapi` describes it.
"""

from hub.api.app import create_app, openapi
from hub.api.services import Services

__all__ = ["Services", "create_app", "openapi"]

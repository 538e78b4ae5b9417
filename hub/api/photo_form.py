"""Forms with photos, read into memory: no part of one is ever spooled to a disk, as the framework would do
with large ones. The photos are gone with the request.
"""

import hashlib
from collections.abc import AsyncGenerator
from typing import Any, Final, Generic, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from hub.api.problems import Problem

F = TypeVar("F", bound=BaseModel)

_MOST_BYTES: Final = 64 << 20
MOST_PHOTOS: Final = 8


class Form(BaseModel, Generic[F]):
    """A form as it was sent."""

    fields: F
    photos: list[bytes]

    def fingerprint(self) -> bytes:
        """What tells this form from another."""
        digests = [hashlib.sha256(photo).hexdigest() for photo in self.photos]
        return "\n".join((self.fields.model_dump_json(), *digests)).encode()


class _InMemory(MultiPartParser):
    """A parser that keeps every part in memory: they are bounded in sum."""

    spool_max_size = _MOST_BYTES + 1


async def read_form(request: Request, model: type[F]) -> Form[F]:
    """Read the form. Problems say what is wrong with it; nothing of it touches a disk."""

    async def bounded() -> AsyncGenerator[bytes, None]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > _MOST_BYTES:
                raise Problem(413, "too_large", f"at most {_MOST_BYTES >> 20} MB in all")
            yield chunk

    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Problem(415, "no_form", "send multipart/form-data with one or more `photo`")
    try:
        parser = _InMemory(request.headers, bounded(), max_files=MOST_PHOTOS, max_fields=20)
        form = await parser.parse()
    except MultiPartException as error:
        raise Problem(422, "broken_form", error.message) from error
    try:
        photos = [await p.read() for p in form.getlist("photo") if isinstance(p, UploadFile)]
        texts = {k: v for k, v in form.multi_items() if isinstance(v, str)}
    finally:
        await form.close()
    try:
        fields = model.model_validate(texts)
    except ValidationError as error:
        problems = [{**p, "loc": ("body", *p["loc"])} for p in error.errors(include_input=False)]
        raise RequestValidationError(problems) from error
    if not photos:
        raise Problem(422, "no_photo", "send at least one file in a part named `photo`")
    return Form[F](fields=fields, photos=photos)


def form_schema(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI is to say of such a form."""
    schema = model.model_json_schema()
    photo = {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "maxItems": MOST_PHOTOS,
    }
    described = {
        "type": "object",
        "required": [*schema.get("required", ()), "photo"],
        "properties": {**schema["properties"], "photo": photo},
    }
    content = {"multipart/form-data": {"schema": described}}
    return {"requestBody": {"required": True, "content": content}}

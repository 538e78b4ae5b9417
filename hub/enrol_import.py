"""Sends the people of a folder to the hub's API, one after the other, and says what became of each.

In: the rows of `hub.enrol_rows`, a client. Out: an `Outcome` for each. Who is enrolled already under their
external id is skipped, so that an import that was cut short is taken up by running it again; who has
templates of another face pack alone is enrolled anew. A row that the hub refuses stops no other; a hub
that does not answer stops all. Photos are read from the folder, sent, and forgotten.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from hub.client import HubClient, Refusal
from hub.enrol_rows import BadRow, Person, Row
from wire.errors import InputError

_OF_THE_ROW: Final = frozenset({409, 413, 422})
_OF_THE_HUB: Final = frozenset({"no_face_pack"})


class What(StrEnum):
    """What became of a row. In a dry run: what would."""

    ENROLLED = "enrolled"
    ENROLLED_ANEW = "enrolled_anew"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PhotoVerdict:
    """How good a photo is for its purpose, 0 to 1, and what would make a better one."""

    name: str
    quality: float
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row. `problem` says why it was refused, or skipped, and what to do."""

    row: int
    external_id: str
    label: str
    what: What
    subject_id: str = ""
    photos: tuple[PhotoVerdict, ...] = ()
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Importer:
    """Enrols people whose photos lie in `folder`; `enrolled` and `outdated` are subjects by external id."""

    client: HubClient
    folder: Path
    enrolled: Mapping[str, str]
    outdated: frozenset[str]
    dry_run: bool

    @classmethod
    def of(cls, client: HubClient, folder: Path, *, dry_run: bool) -> "Importer":
        """Ask the hub who is enrolled."""
        known = {s["external_id"]: s["id"] for s in client.pages("/subjects") if s["external_id"]}
        outdated = frozenset(s["id"] for s in client.pages("/subjects", outdated=True))
        return cls(client, folder, known, outdated, dry_run)

    def run(self, rows: Sequence[Row]) -> Iterator[Outcome]:
        """What becomes of each row, in their order. HubError when the hub cannot go on."""
        for row in rows:
            if isinstance(row, BadRow):
                cells = row.cells
                yield Outcome(
                    row.row, cells.get("external_id", ""), cells.get("label", ""), What.REFUSED,
                    problem=row.problem,
                )  # fmt: skip
            else:
                yield self._take(row)

    def _take(self, person: Person) -> Outcome:
        external_id, label = person.fields["external_id"], person.fields["label"]
        subject = self.enrolled.get(external_id)
        if subject is not None and subject not in self.outdated:
            why = "enrolled already under this external_id"
            return Outcome(person.row, external_id, label, What.SKIPPED, subject, problem=why)
        try:
            made = self._send(person, subject)
        except (InputError, Refusal) as error:
            if isinstance(error, Refusal) and not _is_of_the_row(error):
                raise
            problem = _with_names(str(error), person.photos)
            return Outcome(person.row, external_id, label, What.REFUSED, problem=problem)
        verdicts = tuple(
            PhotoVerdict(name, template["quality"], tuple(template["advice"]))
            for name, template in zip(person.photos, made["templates"], strict=True)
        )
        what = What.ENROLLED if subject is None else What.ENROLLED_ANEW
        shown = "" if self.dry_run and subject is None else made["id"]
        return Outcome(person.row, external_id, label, what, shown, verdicts)

    def _send(self, person: Person, subject: str | None) -> Any:
        photos = [(Path(name).name, self._read(name)) for name in person.photos]
        dry_run = self.dry_run or None
        if subject is None:
            return self.client.post_form("/subjects", person.fields, photos, dry_run=dry_run)
        return self.client.post_form(f"/subjects/{subject}/templates", {}, photos, dry_run=dry_run)

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise InputError(f"the photo {name} cannot be read: {error.strerror}") from error


def _is_of_the_row(error: Refusal) -> bool:
    return error.status in _OF_THE_ROW and error.reason not in _OF_THE_HUB


def _with_names(message: str, photos: Sequence[str]) -> str:
    """The hub's words, with the photos' names in the place of their numbers."""

    def name(found: re.Match[str]) -> str:
        number = int(found[1])
        return f"{photos[number - 1]}:" if 1 <= number <= len(photos) else found[0]

    return re.sub(r"\bphoto (\d+):", name, message)

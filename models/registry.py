"""Which networks there are: source, hash, licence, task, input, recommended thresholds.

In: ``registry.toml`` beside this module, and the ``pack.json`` of packs that were made on this machine.
Out: frozen `Pack` values. Reads no network, and downloads nothing.

What a network may be for is a closed list (`Task`). Nothing in it infers ethnicity, religion, gender,
age or emotion, and nothing of that kind can be declared, pulled, imported or loaded.
"""

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from wire.errors import ModelError


class Task(StrEnum):
    """All that a network of ours may do. The list is closed on purpose: see the module."""

    FACE_DETECTION = "face_detection"
    FACE_LANDMARKS = "face_landmarks"
    FACE_RECOGNITION = "face_recognition"
    LIVENESS = "liveness"
    PLATE_DETECTION = "plate_detection"
    PLATE_READING = "plate_reading"
    OBJECT_DETECTION = "object_detection"


FORBIDDEN: Final = (
    "no network that infers ethnicity, religion, gender, age or emotion is ever loaded"
)
"""Said wherever such a network is refused."""

_TRAIT_WORDS: Final = re.compile(
    r"\b(male|female|man|men|woman|women|boy|girl|gender|ethnic\w*|religio\w*|emotion\w*|asian|african"
    r"|caucasian|hijab|burqa|turban|kippah)\b|性别|民族|种族|宗教|情绪|男|女",
    re.IGNORECASE,
)
_TRAIT_LABELS: Final = frozenset(
    {
        "age",
        "sex",
        "race",
        "baby",
        "infant",
        "child",
        "kid",
        "teenager",
        "adult",
        "senior",
        "elderly",
    }
)

PackName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Kind = Literal["face", "liveness", "plate", "object"]
NetworkType = Literal[
    "scrfd", "arcface", "yunet", "onnx-embedder", "dlib-landmarks5", "dlib-mmod", "dlib-resnet", "minifasnet",
    "yolo", "plate",
]  # fmt: skip


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Archive(_Entry):
    """A zip that holds the pack's files, and more that we never extract."""

    urls: Annotated[tuple[str, ...], Field(min_length=1)]
    sha256: Sha256 | None = None
    size_bytes: Annotated[int, Field(ge=1)] | None = None


class PackFile(_Entry):
    """One file of a pack. `sha256` None: unknown to us, pinned at first installation."""

    name: FileName
    task: Task
    network: NetworkType
    sha256: Sha256 | None = None
    size_bytes: Annotated[int, Field(ge=1)] | None = None
    urls: tuple[str, ...] = ()
    input: str = ""
    licence: str = ""
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    one_at_a_time: bool = False

    @field_validator("task", mode="before")
    @classmethod
    def _allowed(cls, value: object) -> object:
        if isinstance(value, str) and value not in set(Task):
            raise ValueError(f"task {value!r} is not one of {', '.join(Task)}: {FORBIDDEN}")
        return value


class FaceDefaults(_Entry):
    """Where to start before a site has calibrated: cosine threshold, lead, and how it was measured."""

    threshold: Annotated[float, Field(gt=0, lt=1)]
    margin: Annotated[float, Field(ge=0, lt=1)]
    measured: str


class Pack(_Entry):
    """A named set of networks.

    `location` says where its files are: ``home`` under the packs folder, ``package:NAME/FOLDER`` inside
    an installed Python package, ``shipped:FOLDER`` inside `models`, whose ``manifest.json`` lists them.
    """

    name: PackName
    kind: Kind
    title: str
    source: str
    licence: str
    commercial: bool
    note: str = ""
    hash_source: str = ""
    location: Annotated[
        str, Field(pattern=r"^(home|package:[\w.]+(/\w+)*|shipped:\w+(/\w+)*)$")
    ] = "home"
    install: str = ""
    archive: Archive | None = None
    files: tuple[PackFile, ...] = ()
    face: FaceDefaults | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        names = [file.name for file in self.files]
        if len(set(names)) != len(names):
            raise ValueError(f"pack {self.name}: two files have one name")
        if not self.files and not self.location.startswith("shipped:"):
            raise ValueError(f"pack {self.name}: no files")
        if self.kind == "face" and self.face is None:
            raise ValueError(f"pack {self.name}: a face pack needs [pack.face] with its threshold")
        return self

    @property
    def can_be_pulled(self) -> bool:
        """Whether every file has somewhere to be downloaded from."""
        return self.archive is not None or (bool(self.files) and all(f.urls for f in self.files))

    @property
    def size_bytes(self) -> int | None:
        """Bytes on disk; None when not known."""
        sizes = [file.size_bytes for file in self.files]
        return sum(filter(None, sizes)) if sizes and all(sizes) else None

    @property
    def command(self) -> str:
        """The one command that gets or mends this pack."""
        if self.install:
            return self.install
        verb = "pull" if self.can_be_pulled else "import"
        return f"gatehouse models {verb} {self.name if verb == 'pull' else 'FOLDER'}"

    def file(self, task: Task) -> PackFile:
        """The file of this pack that does `task`; ModelError when it has none."""
        for file in self.files:
            if file.task is task:
                return file
        raise ModelError(f"pack {self.name} has no network for {task}")


class _Document(_Entry):
    version: Literal[1]
    pack: tuple[Pack, ...]


class Registry:
    """The packs that this release knows, by name."""

    def __init__(self, packs: Mapping[str, Pack]) -> None:
        self.packs: Mapping[str, Pack] = MappingProxyType(dict(packs))

    @classmethod
    def parse(cls, text: str, source: str) -> Self:
        """Read a registry; ModelError names `source` and what is wrong in it."""
        try:
            document = _Document.model_validate(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise ModelError(f"{source} is no registry of packs: {error}") from error
        packs = {pack.name: pack for pack in document.pack}
        if len(packs) != len(document.pack):
            raise ModelError(f"{source}: two packs have one name")
        return cls(packs)

    def get(self, name: str) -> Pack | None:
        """The pack called `name`, or None."""
        return self.packs.get(name)

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Names of the packs of one kind, in the registry's order."""
        return tuple(name for name, pack in self.packs.items() if pack.kind == kind)


@cache
def shipped_registry() -> Registry:
    """The registry of this release. Read once; it is part of the program."""
    text = resources.files("models").joinpath("registry.toml").read_text(encoding="utf-8")
    return Registry.parse(text, "models/registry.toml")


def refuse_trait_labels(labels: Mapping[int, str], what: str) -> None:
    """Raise ModelError when a detector's classes tell people apart by a trait of `FORBIDDEN`."""
    for label in labels.values():
        plain = label.replace("_", " ").strip().lower()
        if plain in _TRAIT_LABELS or _TRAIT_WORDS.search(plain):
            raise ModelError(f"{what} has the class {label!r}: {FORBIDDEN}")

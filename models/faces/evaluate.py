"""How well a face pack tells people apart: the figures of docs/faces.md.

In: a pack, and its embeddings of labelled pictures. Out: a `FaceReport`, and a `Calibration`. Pure: reading
pictures and running the networks is in `models.faces.labelled`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from models.faces import strangers
from models.faces.calibration import Calibration, fit
from models.faces.identification import Searches, Strangers, search
from models.faces.labelled import Embedded
from models.faces.rates import Rate, auc, comparisons, fnmr_at
from models.faces.types import FacePack
from wire.errors import InputError

REPORTED_FPIR: Final = 0.01
_LEAST_SEARCHES: Final = 1000
_PER_ERROR: Final = 10


@dataclass(frozen=True, slots=True)
class Identification:
    """Searches in a gallery that was padded to `people`.

    `threshold` is the lowest with an FPIR of `wanted_fpir`, without a margin; `tpir` counts the searches
    that gave the right name there, `real_named` the real people not enrolled who got one.
    """

    people: int
    real_people: int
    modelled_people: int
    modelled_searches: int
    wanted_fpir: float
    threshold: float
    tpir: Rate
    real_named: Rate


@dataclass(frozen=True, slots=True)
class FaceReport:
    """What docs/faces.md shows of one pack; times are medians per picture and per face.

    `fmr` and `fnmr` are one picture against one at the pack's own `threshold`, and `named` the searches in
    the padded gallery that give the right name at its threshold and margin.
    """

    pack: str
    pack_sha256: str
    people: int
    pictures: int
    genuine_pairs: int
    impostor_pairs: int
    threshold: float
    margin: float
    genuine_mean: float
    genuine_min: float
    impostor_mean: float
    impostor_spread: float
    impostor_max: float
    auc: float
    fmr: Rate
    fnmr: Rate
    fnmr_at_fmr_1e_3: Rate
    fnmr_at_fmr_1e_4: Rate
    failure_to_acquire: Rate
    identification: Identification
    detect_ms: float
    embed_ms: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON. Rates are numbers; `counts` and `intervals_95` have how sure each is."""
        found = self.identification
        rates = {
            "fnmr_at_fmr_1e-3": self.fnmr_at_fmr_1e_3,
            "fnmr_at_fmr_1e-4": self.fnmr_at_fmr_1e_4,
            "failure_to_acquire": self.failure_to_acquire,
            "fmr": self.fmr,
            "fnmr": self.fnmr,
            "tpir_at_fpir_1e-2": found.tpir,
        }
        return {
            "pack": self.pack,
            "pack_sha256": self.pack_sha256,
            **{name: rate.value for name, rate in rates.items()},
            "auc": self.auc,
            "ms_per_face": self.detect_ms + self.embed_ms,
            "detect_ms": self.detect_ms,
            "embed_ms": self.embed_ms,
            "people": self.people,
            "pictures": self.pictures,
            "threshold": self.threshold,
            "margin": self.margin,
            "similarity": {
                "genuine_mean": self.genuine_mean,
                "genuine_min": self.genuine_min,
                "impostor_mean": self.impostor_mean,
                "impostor_spread": self.impostor_spread,
                "impostor_max": self.impostor_max,
            },
            "identification": {
                "people": found.people,
                "real_people": found.real_people,
                "modelled_people": found.modelled_people,
                "padded_with": PADDING,
                "modelled_searches": found.modelled_searches,
                "fpir": found.wanted_fpir,
                "threshold": found.threshold,
                "real_people_not_enrolled_named": found.real_named.errors,
                "real_people_not_enrolled_searched": found.real_named.n,
            },
            "counts": {
                **{name: [rate.errors, rate.n] for name, rate in rates.items()},
                "genuine_pairs": self.genuine_pairs,
                "impostor_pairs": self.impostor_pairs,
            },
            "intervals_95": {name: list(rate.interval) for name, rate in rates.items()},
        }


PADDING: Final = (
    "strangers drawn from a model of the measured ones (models/faces/strangers.py):"
    " no relatives, no look-alikes"
)


def report(pack: FacePack, data: Embedded, gallery_people: int) -> FaceReport:
    """Score `data`, one picture against one and in a gallery padded to `gallery_people`.

    Raises:
        InputError: fewer than two people, or nobody with two pictures.
    """
    genuine, impostor = comparisons(data.embeddings, data.identities)
    if not len(genuine) or not len(impostor):
        raise InputError("needs two people or more, and one of them with two pictures or more")
    alike, spread = strangers.spread(data.embeddings, data.identities)
    return FaceReport(
        pack=pack.name,
        pack_sha256=pack.embedder.pack_sha256,
        people=len(set(data.identities)),
        pictures=len(data.identities) + len(data.failed),
        genuine_pairs=len(genuine),
        impostor_pairs=len(impostor),
        threshold=pack.threshold,
        margin=pack.margin,
        genuine_mean=float(genuine.mean()),
        genuine_min=float(genuine.min()),
        impostor_mean=alike,
        impostor_spread=spread,
        impostor_max=float(impostor.max()),
        auc=auc(genuine, impostor),
        fmr=Rate(int((impostor >= pack.threshold).sum()), len(impostor)),
        fnmr=Rate(int((genuine < pack.threshold).sum()), len(genuine)),
        fnmr_at_fmr_1e_3=fnmr_at(genuine, impostor, 1e-3),
        fnmr_at_fmr_1e_4=fnmr_at(genuine, impostor, 1e-4),
        failure_to_acquire=Rate(len(data.failed), len(data.identities) + len(data.failed)),
        identification=_identification(data, gallery_people),
        detect_ms=data.detect_ms,
        embed_ms=data.embed_ms,
    )


def calibrate(
    pack: FacePack, data: Embedded, wanted_fpir: float, gallery_people: int, now: datetime
) -> Calibration:
    """Choose threshold and margin for galleries up to `gallery_people`.

    Raises:
        InputError: fewer than two people, or nobody with two pictures.
    """
    if len(set(data.identities)) in (len(data.identities), 1):
        raise InputError("needs two people or more, and one of them with two pictures or more")
    sizes = [10**power for power in range(1, 8) if 10**power < gallery_people]
    searches = _searches(data, wanted_fpir, (*sizes, gallery_people))
    _, spread = strangers.spread(data.embeddings, data.identities)
    margin, steps = fit(searches, wanted_fpir, spread)
    people = len(set(data.identities))
    return Calibration(
        pack=pack.name,
        pack_sha256=pack.embedder.pack_sha256,
        wanted_fpir=wanted_fpir,
        margin=margin,
        steps=steps,
        measured_on=f"{len(data.identities)} pictures of {people} people; padded with {PADDING}",
        measured_at=now,
    )


def _identification(data: Embedded, people: int) -> Identification:
    found = _searches(data, REPORTED_FPIR, (people,))[0]
    threshold = found.threshold_at(REPORTED_FPIR)
    real = len(set(data.identities))
    return Identification(
        people=found.people,
        real_people=real,
        modelled_people=found.people - real,
        modelled_searches=len(found.top) - found.real,
        wanted_fpir=REPORTED_FPIR,
        threshold=threshold,
        tpir=found.tpir(threshold),
        real_named=found.real_fpir(threshold),
    )


def _searches(data: Embedded, fpir: float, sizes: tuple[int, ...]) -> tuple[Searches, ...]:
    """Searches in galleries of these sizes, enough of them for `fpir` to be seen."""
    model = strangers.fit(data.embeddings, data.identities)
    passing = max(_LEAST_SEARCHES, round(_PER_ERROR / fpir))
    padding = Strangers(model.draw(sizes[-1], seed=1), model.draw(passing, seed=2))
    found = search(data.embeddings, data.identities, padding, sizes)
    return tuple({searches.people: searches for searches in found}.values())

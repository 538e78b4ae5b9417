"""Writes docs/faces-clips.md: who is named in the material's clips, and that nobody else is.

    GATEHOUSE_MATERIAL=... python scripts/face_clips.py

Each clip is played through the edge's worker, once for each pack, and each face that the edge tells of is
identified as the hub does it: in the gallery of those who are in the film clip, and in galleries of others,
whole and each person alone. So is a video of two minutes made of them, where people come by, go, and come by
again. Takes some minutes for each pack.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from face_figures import PACKS  # noqa: E402

from edge.camera import Networks  # noqa: E402
from edge.config import FACE_MEMORY_S, ModelsSection  # noqa: E402
from edge.networks import load_networks  # noqa: E402
from evaluation.named import Outcome, answers_of, outcome_of  # noqa: E402
from evaluation.people import enrol_folder  # noqa: E402
from evaluation.play import ToldFace, play  # noqa: E402
from hub.gallery import Gallery  # noqa: E402
from hub.rules.base import RuleDocument  # noqa: E402
from models.faces.labelled import Embedded, embed_folder  # noqa: E402
from models.faces.types import FacePack  # noqa: E402
from tests.integration.gate_video import visit_of, write_gate_video, write_people  # noqa: E402
from tests.integration.labelled_faces import labelled  # noqa: E402
from tests.integration.test_eval_video import GAP_S, stretches  # noqa: E402

FILM = "yakhyo_in_video.mp4"
WINDOW_S = RuleDocument.model_fields["dedup_window_s"].default
FRIENDS = frozenset({"Chandler", "Joey", "Monica", "Phoebe", "Rachel", "Ross"})


@dataclass
class Tally:
    """What the clips of one pack came to."""

    pack: str
    clips: int = 0
    tracks: int = 0
    people: int = 0
    passages: int = 0
    expected: int = 0
    met: int = 0
    more: int = 0
    hidden: int = 0
    missed: str = ""
    twice: str = ""
    resumed: int = 0
    wrong: int = 0
    alerts: int = 0
    galleries: int = 0
    searches: int = 0
    strangers_named: int = 0
    same_again: bool = False
    visits: int = 0
    visitors: int = 0
    visits_once: int = 0
    visits_missed: str = ""
    visits_twice: str = ""
    visits_wrong: int = 0
    visits_unknown: int = 0


def gallery_of(pack: FacePack, data: Embedded, people: frozenset[str]) -> Gallery:
    made = Gallery(pack.name, pack.embedder.pack_sha256, pack.embedder.dimension, pack.acceptance)
    for number, (name, row) in enumerate(zip(data.identities, data.embeddings, strict=True)):
        if name in people:
            made.add(str(number), name, row)
    return made


def outcome(faces: Sequence[ToldFace], gallery: Gallery, gap_s: float = GAP_S) -> Outcome:
    return outcome_of(answers_of(faces, gallery, datetime.now(UTC)), gap_s)


Passage = tuple[str, float, float]


def passages_by_eye() -> list[Passage]:
    """Who is to be seen from when to when; the same person after a shorter gap is still there."""
    return [(name, start, end) for name in sorted(FRIENDS) for start, end in stretches(name)]


def parts_in_clear_sight(passage: Passage) -> int:
    """How many passages this one is for those who see no more than the face."""
    name, start, end = passage
    return sum(start <= seen[0] <= end for seen in stretches(name, clear=True))


def sets_of_others(faces: Path) -> list[frozenset[str]]:
    """Galleries of people who are in no clip: each set of the material by itself, and all of them."""
    sources: dict[str, set[str]] = {}
    for path, who in labelled(faces):
        if who not in FRIENDS:
            sources.setdefault(path.relative_to(faces).parts[0], set()).add(who)
    everybody = set().union(*sources.values())
    return [frozenset(people) for people in (*sources.values(), everybody)]


def measure(name: str, material: Path) -> Tally:
    networks = load_networks(ModelsSection(face_pack=name, plates=False))
    pack, faces = networks.faces, material / "faces"
    data = embed_folder(pack, labelled(faces))
    tally, others = Tally(name), sets_of_others(faces)
    alone = [frozenset({who}) for who in sorted(others[-1])]
    galleries = [gallery_of(pack, data, people) for people in (*others, *alone)]
    tally.galleries = len(galleries)
    references = [one for one in labelled(faces) if one[0].parent.name == "friends_refs"]
    listed = gallery_of(pack, embed_folder(pack, references), FRIENDS)
    for clip in sorted([*(material / "video").glob("*.mp4"), *(material / "video").glob("*.avi"),
                        *(material / "video").glob("*/*.mp4")]):  # fmt: skip
        told = play(clip, networks, {}).faces
        tally.clips += 1
        tally.tracks += len({face.observation.track_id for face in told})
        tally.resumed += len(
            {face.observation.track_id for face in told if face.observation.resumes}
        )
        for gallery in galleries:
            tally.searches += len(told)
            tally.strangers_named += len(outcome(told, gallery).passages)
        found = outcome(told, listed)
        if clip.name == FILM:
            score(tally, found)
            tally.alerts = len(outcome(told, listed, WINDOW_S).passages)
            again = play(clip, networks, {}).faces
            tally.same_again = outcome(again, listed) == found
        else:
            tally.strangers_named += len(found.passages)
            tally.searches += len(told)
    score_gate(tally, networks, material, galleries)
    return tally


def score_gate(tally: Tally, networks: Networks, material: Path, others: Sequence[Gallery]) -> None:
    """Two minutes at a gate: who is listed is named once each time they come by, and nobody else is."""
    missed: list[str] = []
    twice: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        people = write_people(material, Path(folder) / "people")
        listed = enrol_folder(people, networks.faces, None, 1)
        tally.visitors = len(listed.names)
        for mirrored in (False, True):
            video = Path(folder) / "gate.mp4"
            visits = write_gate_video(material, video, mirrored=mirrored)
            told = play(video, networks, {}).faces
            found = outcome(told, listed.gallery, FACE_MEMORY_S)
            where = [visit_of(one.name, one.first_s, one.last_s, visits) for one in found.passages]
            times = [where.count(visit) for visit in visits]
            tally.visits += len(visits)
            tally.visits_once += times.count(1)
            tally.visits_wrong += where.count(None)
            tally.visits_unknown += found.unknown_tracks
            name = "{}, mirrored" if mirrored else "{}"
            rows = [(name.format(one.name), one.start_s, one.end_s) for one in visits]
            missed += listed_of(rows, [count == 0 for count in times])
            twice += listed_of(rows, [count > 1 for count in times])
            tally.searches += len(told) * len(others)
            tally.strangers_named += sum(len(outcome(told, one).passages) for one in others)
    tally.visits_missed, tally.visits_twice = joined(missed), joined(twice)


def score(tally: Tally, found: Outcome) -> None:
    """The film clip against what the eye sees."""
    expected = passages_by_eye()
    named = [0] * len(expected)
    for one in found.passages:
        hits = [
            number
            for number, (name, start, end) in enumerate(expected)
            if name == one.name and max(start, one.first_s) <= min(end, one.last_s)
        ]
        for number in hits[:1]:
            named[number] += 1
        tally.wrong += not hits
    tally.people = len({one.name for one in found.passages})
    tally.passages, tally.expected = len(found.passages), len(expected)
    tally.met = sum(count > 0 for count in named)
    tally.more = sum(max(0, count - 1) for count in named)
    tally.missed = joined(listed_of(expected, [count == 0 for count in named]))
    tally.twice = joined(listed_of(expected, [count > 1 for count in named]))
    tally.hidden = sum(
        max(0, min(count, parts_in_clear_sight(one)) - 1)
        for count, one in zip(named, expected, strict=True)
    )


def listed_of(passages: Sequence[Passage], chosen: Sequence[bool]) -> list[str]:
    """Of whom the chosen ones are and from when to when, in seconds."""
    rows = zip(passages, chosen, strict=True)
    return [f"{name} {start:.1f}–{end:.1f} s" for (name, start, end), yes in rows if yes]


def joined(texts: Sequence[str]) -> str:
    return ", ".join(texts) or "none"


Rows = tuple[tuple[str, Callable[[Tally], str]], ...]

GATE_ROWS: Rows = (
    ("people listed, times that they come by", lambda t: f"{t.visitors}, {t.visits}"),
    ("of these, named once", lambda t: str(t.visits_once)),
    ("not named", lambda t: t.visits_missed),
    ("named a second time", lambda t: t.visits_twice),
    ("a name for somebody else, or for nobody", lambda t: str(t.visits_wrong)),
    ("faces of others and glimpses, not named", lambda t: str(t.visits_unknown)),
)

FILM_ROWS: Rows = (
    ("people listed, named", lambda t: f"{len(FRIENDS)}, {t.people}"),
    ("times that they come by so, of these named", lambda t: f"{t.expected}, {t.met}"),
    ("not named", lambda t: t.missed),
    ("named a second time", lambda t: str(t.more)),
    ("which", lambda t: t.twice),
    (f"of these, after {GAP_S:.0f} s cut by the edge or turned away", lambda t: str(t.hidden)),
    (f"alerts of a rule with its usual window of {WINDOW_S:.0f} s", lambda t: str(t.alerts)),
    ("a name for somebody else, or for nobody", lambda t: str(t.wrong)),
    ("played again: the same answer", lambda t: "yes" if t.same_again else "no"),
)

ALL_ROWS: Rows = (
    ("clips, faces followed in them", lambda t: f"{t.clips}, {t.tracks}"),
    ("faces taken up again that were lost seconds before", lambda t: str(t.resumed)),
    ("galleries of others: sets, and each person alone", lambda t: str(t.galleries)),
    ("searches in them", lambda t: f"{t.searches:,}"),
    ("strangers named", lambda t: str(t.strangers_named)),
)

HEAD = f"""\
# Who is named in clips

Written by scripts/face_clips.py, never edited by hand. Videos are played through the edge's worker at 5
frames a second; each face that it tells of is identified as the hub does it. Each person is listed by one
picture.

## Two minutes at a gate

A video made of the clips, one after another: six people at a table, somebody from behind, three who walk up
and stop, two others who walk up, two at a door, four others in a room; then those at the table again,
somebody else from behind, the three who walk up, and the two at the door. Who comes by again has been away
for longer than the {FACE_MEMORY_S:.0f} s that a camera remembers a face; out of sight for less is not gone.
All of it is played a second time in the mirror.
The six are listed by a picture of another day, the five by one cut out of the clip they are in, which is
easier than a photo.
"""

FILM_PART = f"""
## The film clip by itself, read more narrowly

Here somebody who was out of the picture for {GAP_S:.0f} s, by eye, has come by a second time, though all
six sit at one table all the while, and the film cuts from one to another. Where the picture's edge cuts a
face in two, or no eye is seen of it, for longer than that, a face cannot say whether it ever went away. In
the last shot Monica shows a lowered side of her face for less than a second, and then turns away: one picture
of her front names her there only together with what the camera saw of her before.
"""

ALL = """
## All clips

Nobody of the galleries of others is in any of them.
"""


def table(tallies: Sequence[Tally], rows: Rows) -> str:
    lines = [
        f"| | {' | '.join(f'`{tally.pack}`' for tally in tallies)} |",
        "|---|" + "---|" * len(tallies),
        *(f"| {label} | {' | '.join(of(tally) for tally in tallies)} |" for label, of in rows),
    ]
    return "\n" + "\n".join(lines) + "\n"


def page(tallies: Sequence[Tally]) -> str:
    parts = ((HEAD, GATE_ROWS), (FILM_PART, FILM_ROWS), (ALL, ALL_ROWS))
    return "".join(text + table(tallies, rows) for text, rows in parts)


def main() -> int:
    material = Path(os.environ.get("GATEHOUSE_MATERIAL", ROOT.parent / "shared" / "material"))
    if not (material / "video").is_dir():
        print(f"there are no clips at {material}: set GATEHOUSE_MATERIAL")
        return 1
    with tempfile.TemporaryDirectory() as home:
        os.environ["GATEHOUSE_HOME"] = home
        importing = [
            sys.executable,
            "-m",
            "gatehouse",
            "models",
            "import",
            str(material / "models"),
        ]
        subprocess.run(importing, check=True)
        tallies = []
        for name in sys.argv[1:] or PACKS:
            tallies.append(measure(name, material))
            print(tallies[-1])
            (ROOT / "docs" / "faces-clips.md").write_text(page(tallies), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

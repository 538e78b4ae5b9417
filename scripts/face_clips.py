"""Writes docs/faces-clips.md: who is named in the material's clips, and that nobody else is.

    GATEHOUSE_MATERIAL=... python scripts/face_clips.py

Each clip is played through the edge's worker, once for each pack, and each face that the edge tells of is
identified as the hub does it: in the gallery of those who are in the film clip, and in galleries of others,
whole and each person alone. Takes some minutes for each pack.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from face_figures import PACKS, labelled  # noqa: E402

from edge.config import ModelsSection  # noqa: E402
from edge.networks import load_networks  # noqa: E402
from evaluation.named import Outcome, answers_of, outcome_of  # noqa: E402
from evaluation.play import ToldFace, play  # noqa: E402
from hub.gallery import Gallery  # noqa: E402
from hub.rules.base import RuleDocument  # noqa: E402
from models.faces.labelled import Embedded, embed_folder  # noqa: E402
from models.faces.types import FacePack  # noqa: E402
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
    return tally


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
    tally.missed = listing(expected, [count == 0 for count in named])
    tally.twice = listing(expected, [count > 1 for count in named])
    tally.hidden = sum(
        max(0, min(count, parts_in_clear_sight(one)) - 1)
        for count, one in zip(named, expected, strict=True)
    )


def listing(passages: Sequence[Passage], chosen: Sequence[bool]) -> str:
    """Of whom the chosen ones are and from when to when, in seconds."""
    rows = zip(passages, chosen, strict=True)
    texts = [f"{name} {start:.1f}–{end:.1f} s" for (name, start, end), yes in rows if yes]
    return ", ".join(texts) or "none"


ROWS = (
    ("clips, faces followed in them", lambda t: f"{t.clips}, {t.tracks}"),
    ("film clip: people listed, named", lambda t: f"{len(FRIENDS)}, {t.people}"),
    ("passages of them by eye, of these named", lambda t: f"{t.expected}, {t.met}"),
    ("not named", lambda t: t.missed),
    ("a passage named a second time", lambda t: str(t.more)),
    ("which", lambda t: t.twice),
    (f"of these, after {GAP_S:.0f} s cut by the edge or turned away", lambda t: str(t.hidden)),
    ("faces taken up again that were lost seconds before", lambda t: str(t.resumed)),
    (f"alerts of a rule with its usual window of {WINDOW_S:.0f} s", lambda t: str(t.alerts)),
    ("a name for somebody else, or for nobody", lambda t: str(t.wrong)),
    ("played again: the same answer", lambda t: "yes" if t.same_again else "no"),
    ("galleries of others: sets, and each person alone", lambda t: str(t.galleries)),
    ("searches in them", lambda t: f"{t.searches:,}"),
    ("strangers named", lambda t: str(t.strangers_named)),
)


def page(tallies: Sequence[Tally]) -> str:
    lines = [
        "# Who is named in clips",
        "",
        "Written by scripts/face_clips.py, never edited by hand. Clips are played through the edge's",
        "worker at 5 frames a second; each face that it tells of is identified as the hub does it. A film",
        "clip shows six people, who are listed by one picture each; when each is to be seen was read by eye,",
        f"and the same person within {GAP_S:.0f} s is one passage. Nobody of the galleries of others is in",
        "any clip. Somebody may be in the picture all the while and yet be named a second time: where the",
        "picture's edge cuts a face in two, or no eye is seen of it, for longer than that, a face cannot say",
        "whether it ever went away. In the last shot Monica shows a lowered side of her face for less than a",
        "second, and then turns away: one picture of her front names her there only together with what the",
        "camera saw of her half a minute before at most.",
        "",
        "A rule raises no second alert for a person within its window.",
        "",
        f"| | {' | '.join(f'`{tally.pack}`' for tally in tallies)} |",
        "|---|" + "---|" * len(tallies),
    ]
    lines += [f"| {label} | {' | '.join(of(tally) for tally in tallies)} |" for label, of in ROWS]
    return "\n".join(lines) + "\n"


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

"""An exported case verifies anywhere, and one flipped byte in any of its files is found and named."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from hub.access import Role
from hub.case import MANIFEST, SIGNATURE, seal_case, verify_case
from hub.clip_blur import ClipBlurrer
from hub.evidence import EvidenceKeeper
from hub.evidence_cli import evidence_app
from tests.unit.edge.fakes import FakeFaceDetector, picture
from tests.unit.hub.kit import SCENE, FakeEdge, HubBench, entry
from tests.unit.hub.test_api import Api, api, application  # noqa: F401 - fixtures
from tests.unit.hub.test_clip_evidence import OFFER, topic
from tests.unit.hub.test_pipeline import SCENE_ITEM
from tests.unit.hub.test_workers import FakeDownlink
from wire.errors import InputError
from wire.keys import public_text


def video() -> bytes:
    """Two seconds of ann, who walks from left to right."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for n in range(50):
            image = picture(("ann", (50 + 4 * n, 80, 140 + 4 * n, 170)))
            # A face with something in it to hide: an eye.
            image[110:120, 80 + 4 * n : 90 + 4 * n] = 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


CLIP = video()


@pytest.fixture
def alert_id(bench: HubBench, edge: FakeEdge) -> str:
    """An alert with a scene and a clip, all stored."""
    bench.watch(entry())
    bench.run(edge.plate(pictures=(SCENE_ITEM,), clip=OFFER))
    (alert,) = bench.rows("alerts")
    keeper = EvidenceKeeper(bench.store, bench.files, FakeDownlink(), lambda: bench.now)
    for name, data in (("scene", SCENE), ("clip", CLIP)):
        bench.run(edge.sends(alert["observation_id"], name, data))
        assert keeper.keep(topic(alert["observation_id"], name), data)
    return str(alert["id"])


def exported(api: Api, alert_id: str, who: str, role: Role) -> dict[str, bytes]:  # noqa: F811
    answer = api.call(
        "GET",
        f"/alerts/{alert_id}/export",
        who=who,
        role=role,
        params={"purpose": "case 2026-118"},
    )
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_case_is_whole_and_says_who_vouches_for_what(
    api: Api, alert_id: str, edge: FakeEdge, bench: HubBench  # noqa: F811
) -> None:  # fmt: skip
    files = exported(api, alert_id, "centre", Role.CENTRE)
    verdict = verify_case(files, bench.signing.public_key())
    assert verdict.broken == ()
    vouched = {Path(f.path).name: f.vouched_by for f in verdict.findings}
    observation = Path(next(p for p in files if p.startswith("observations/"))).name
    assert vouched == {
        "manifest.json": "hub", "alert.json": "hub", observation: edge.id,
        "crop.jpg": edge.id, "scene.jpg": edge.id, "clip.mp4": edge.id,
    }  # fmt: skip
    assert verdict.manifest is not None
    assert (verdict.manifest.exported_by, verdict.manifest.purpose) == ("centre", "case 2026-118")
    acts = [(row["actor"], row["action"], row["purpose"]) for row in bench.rows("audit")]
    assert acts[-1] == ("centre", "alert.exported", "case 2026-118")


def test_one_flipped_byte_in_any_file_is_found_and_named(api: Api, alert_id: str) -> None:  # noqa: F811
    files = exported(api, alert_id, "centre", Role.CENTRE)
    for path, data in files.items():
        for place in (0, len(data) // 2, len(data) - 1):
            changed = bytearray(data)
            changed[place] ^= 1
            broken = verify_case({**files, path: bytes(changed)}).broken
            named = {finding.path for finding in broken}
            assert named >= {MANIFEST if path == SIGNATURE else path}, (path, place)
        without = {name: content for name, content in files.items() if name != path}
        assert verify_case(without).broken
    assert [f.path for f in verify_case({**files, "more.txt": b"x"}).broken] == ["more.txt"]


def test_a_forged_manifest_does_not_make_a_forged_clip_the_boxs(
    api: Api, alert_id: str, edge: FakeEdge, bench: HubBench  # noqa: F811
) -> None:  # fmt: skip
    """Even who holds the hub's key cannot say what a box has signed."""
    files = exported(api, alert_id, "centre", Role.CENTRE)
    verdict = verify_case(files)
    assert verdict.manifest is not None
    path = next(name for name in files if name.endswith("clip.mp4"))
    forged = CLIP + b"forged"
    sha256 = hashlib.sha256(forged).hexdigest()
    lines = tuple(
        f.model_copy(update={"sha256": sha256}) if f.path == path else f
        for f in verdict.manifest.files
    )
    manifest = verdict.manifest.model_copy(update={"files": lines})
    broken = verify_case({**files, **seal_case(manifest, bench.signing), path: forged}).broken
    assert [(f.path, f.problem) for f in broken] == [(path, f"the signature of {edge.id} fails")]
    other = FakeEdge().key.public_key()
    assert "another hub" in verify_case(files, other).broken[0].problem


def test_who_may_not_see_a_clip_whole_gets_it_blurred(
    api: Api, alert_id: str, bench: HubBench  # noqa: F811
) -> None:  # fmt: skip
    path = f"/evidence/{bench.rows('alerts')[0]['observation_id']}/clip"
    assert api.call("GET", path, who="centre", role=Role.CENTRE).content == CLIP
    refused = api.call("GET", path, who="guard", role=Role.GUARD)
    assert (refused.status_code, refused.json()["reason"]) == (403, "cannot_blur")
    _with_blurrer(api)
    shown = api.call("GET", path, who="guard", role=Role.GUARD)
    assert shown.status_code == 200
    assert shown.content != CLIP
    files = exported(api, alert_id, "operator", Role.OPERATOR)
    assert next(data for name, data in files.items() if name.endswith("clip.mp4")) == shown.content
    verdict = verify_case(files)
    assert verdict.broken == ()
    assert any("blurred copy" in finding.vouched_by for finding in verdict.findings)
    assert api.call("GET", f"/alerts/{alert_id}/export", who="guard", role=Role.GUARD,
                    params={"purpose": "curious"}).status_code == 403  # fmt: skip
    assert api.call("GET", f"/alerts/{alert_id}/export").status_code == 422  # no purpose


def _with_blurrer(api: Api) -> None:  # noqa: F811
    made = replace(api.services, blurrer=ClipBlurrer(FakeFaceDetector()))
    api.client.app.state.services = made


def test_a_blurred_clip_shows_every_picture_and_no_face() -> None:
    shown = frames(ClipBlurrer(FakeFaceDetector()).blurred(CLIP))
    plain = frames(CLIP)
    assert len(shown) == len(plain) == 50
    for number in range(0, 50, 7):
        eye = (slice(110, 120), slice(80 + 4 * number, 90 + 4 * number))
        assert plain[number][eye].mean() > 200
        assert shown[number][eye].mean() < 150
    assert np.abs(shown[0][300:].astype(int) - plain[0][300:]).mean() < 3  # the rest is as it was


def frames(file: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(file)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def test_what_is_no_clip_cannot_be_blurred() -> None:
    with pytest.raises(InputError, match="cannot be blurred"):
        ClipBlurrer(FakeFaceDetector()).blurred(b"no video")


def test_the_command_verifies_file_and_folder_and_ends_with_9_otherwise(
    api: Api, alert_id: str, tmp_path: Path, bench: HubBench  # noqa: F811
) -> None:  # fmt: skip
    files = exported(api, alert_id, "centre", Role.CENTRE)
    folder, archive = tmp_path / "case", tmp_path / "case.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for name, data in files.items():
            target.writestr(name, data)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
    key = public_text(bench.signing.public_key())
    for case in (folder, archive):
        done = CliRunner().invoke(evidence_app, ["verify", str(case), "--hub-key", key])
        assert done.exit_code == 0, done.output
        assert "whole" in done.output
    name = next(name for name in files if name.endswith("scene.jpg"))
    (folder / name).write_bytes(files[name][:-1] + b"\x00")
    done = CliRunner().invoke(evidence_app, ["verify", str(folder)])
    assert isinstance(done.exception, InputError)
    assert done.exception.exit_code == 9
    assert name in str(done.exception)
    damaged = bytearray(archive.read_bytes())
    damaged[archive.read_bytes().index(SCENE) + 5] ^= 1
    archive.write_bytes(bytes(damaged))
    done = CliRunner().invoke(evidence_app, ["verify", str(archive)])
    assert isinstance(done.exception, InputError)
    assert "scene.jpg" in str(done.exception)
    assert json.loads(files["alert.json"])["id"] == alert_id

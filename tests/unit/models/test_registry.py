import pytest

from models.registry import Pack, Registry, Task, refuse_trait_labels, shipped_registry
from wire.errors import ModelError


def test_ships_the_packs_of_the_issue_with_licence_and_use() -> None:
    packs = shipped_registry().packs
    assert {
        "buffalo_l", "buffalo_sc", "buffalo_sc-int8", "raccoon_s", "antelopev2", "open-mbf", "dlib-resnet",
        "minifasnet", "gatehouse-plates", "yolo11n",
    } <= set(packs)  # fmt: skip
    for pack in packs.values():
        assert pack.licence
        assert pack.source
        assert pack.command
    assert not packs["buffalo_l"].commercial
    assert packs["open-mbf"].commercial


def test_every_face_pack_says_how_its_threshold_was_measured() -> None:
    for name in shipped_registry().names("face"):
        face = shipped_registry().packs[name].face
        assert face is not None
        assert len(face.measured) > 40


def test_genderage_of_buffalo_l_is_no_file_of_the_pack() -> None:
    names = {file.name for pack in shipped_registry().packs.values() for file in pack.files}
    assert not {name for name in names if "gender" in name or "age" in name.split("_")}


@pytest.mark.parametrize(
    "task", ["gender_age", "ethnicity", "religion", "emotion", "attribute", "age"]
)
def test_refuses_a_task_that_is_not_on_the_closed_list(task: str) -> None:
    text = f"""
        version = 1
        [[pack]]
        name = "x"
        kind = "face"
        title = "x"
        source = "x"
        licence = "x"
        commercial = true
        [[pack.files]]
        name = "x.onnx"
        task = "{task}"
        network = "arcface"
    """
    with pytest.raises(ModelError, match="ethnicity, religion, gender, age"):
        Registry.parse(text, "test")


def test_tasks_are_exactly_these() -> None:
    assert sorted(Task) == [
        "face_detection", "face_landmarks", "face_recognition", "liveness", "object_detection",
        "plate_detection", "plate_reading",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "version = 2\npack = []", "version = 1\nx = 1\npack = []", "nonsense"]
)
def test_refuses_what_is_no_registry(text: str) -> None:
    with pytest.raises(ModelError, match="test is no registry"):
        Registry.parse(text, "test")


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "A"])
def test_refuses_names_that_could_leave_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Pack(
            name=name,
            kind="plate",
            title="",
            source="",
            licence="",
            commercial=True,
            location="shipped:a",
        )


@pytest.mark.parametrize(
    "label", ["Man", "woman", "old_man", "male", "child", "Asian face", "女", "hijab"]
)
def test_refuses_classes_that_tell_people_apart_by_a_trait(label: str) -> None:
    with pytest.raises(ModelError, match="ever loaded"):
        refuse_trait_labels({0: "car", 1: label}, "x.onnx")


@pytest.mark.parametrize(
    "label", ["person", "hot dog", "race car", "baby carriage", "mannequin", "skateboard"]
)
def test_takes_classes_that_do_not(label: str) -> None:
    refuse_trait_labels({0: label}, "x.onnx")

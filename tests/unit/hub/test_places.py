from hypothesis import given
from hypothesis import strategies as st

from hub.places import Filed, Place, PlaceIndex, Spot

names = st.sampled_from(["a", "b", "c"])
places = st.builds(
    Place,
    sites=st.frozensets(names, max_size=2),
    gates=st.frozensets(names, max_size=2),
    cameras=st.frozensets(names, max_size=2),
    zones=st.frozensets(names, max_size=2),
)
spots = st.builds(Spot, names, st.sampled_from(["", "a", "b"]), names, st.sampled_from(["", "a"]))


def test_an_empty_place_is_everywhere() -> None:
    assert Place().holds(Spot("a", "", "b"))
    assert not Place(zones=frozenset({"z"})).holds(Spot("a", "", "b"))
    assert list(PlaceIndex(()).at(["x"], Spot("a", "", "b"))) == []


@given(st.lists(st.tuples(places, st.frozensets(names, min_size=1))), spots, st.frozensets(names))
def test_the_index_finds_what_asking_all_would_find(
    filed: list, spot: Spot, topics: frozenset
) -> None:
    index = PlaceIndex(
        Filed(order, about, place, order) for order, (place, about) in enumerate(filed)
    )
    wanted = [
        order for order, (place, about) in enumerate(filed) if about & topics and place.holds(spot)
    ]
    assert list(index.at(topics, spot)) == wanted

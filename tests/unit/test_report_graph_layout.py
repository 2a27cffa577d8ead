"""The layout of graphs: every box in its column, none over another, few edges crossing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from egide.report.graph_layout import BOX_HEIGHT, BOX_WIDTH, Net, Node, lay_out, shortened

HEADS = ("a", "b", "c")


def net(edges: set[tuple[int, int, int]]) -> Net:
    drawn = Net()
    for column, left, right in edges:
        one, other = (column, left), (column + 1, right)
        for key in (one, other):
            drawn.nodes[key] = Node(str(key), "", "")
        drawn.join(one, other, 1)
    return drawn


@given(st.sets(st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(0, 12)), max_size=60))
def test_no_box_lies_over_another_or_outside(edges: set[tuple[int, int, int]]) -> None:
    drawn = lay_out(net(edges), HEADS)
    for n, box in enumerate(drawn.boxes):
        assert 0 <= box.x <= drawn.width - BOX_WIDTH
        assert 0 <= box.y <= drawn.height - BOX_HEIGHT
        for other in drawn.boxes[:n]:
            assert box.x != other.x or abs(box.y - other.y) >= BOX_HEIGHT
    assert len(drawn.curves) == len(edges)


def test_edges_that_need_not_cross_do_not() -> None:
    drawn = lay_out(net({(0, n, 9 - n) for n in range(10)}), HEADS)
    assert all(path.split()[1].split("C")[0] == path.split()[-1] for path, *_ in drawn.curves)


def test_what_is_too_long_loses_its_middle() -> None:
    text = shortened("a" * 50 + "b" * 50)
    assert len(text) == 32
    assert (text[0], text[-1]) == ("a", "b")

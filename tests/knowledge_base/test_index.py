import numpy as np
import pytest

from knowledge_base.index import DenseIndex


@pytest.fixture
def index() -> DenseIndex:
    index = DenseIndex(3)
    index.add([7, 9], np.eye(3, dtype=np.float32)[:2])
    return index


def test_the_nearest_row_comes_first(index: DenseIndex) -> None:
    assert index.search(np.array([0.1, 0.9, 0], np.float32), 5)[0] == (9, pytest.approx(0.9))


def test_an_empty_index_finds_nothing() -> None:
    assert DenseIndex(3).search(np.ones(3, np.float32), 5) == []


def test_removed_rows_are_not_found(index: DenseIndex) -> None:
    index.remove([7, 1000])
    assert [i for i, _ in index.search(np.array([1, 0, 0], np.float32), 5)] == [9]
    assert index.ids() == {9}


def test_adding_an_id_again_replaces_it(index: DenseIndex) -> None:
    index.add([7], np.array([[0, 0, 1]], np.float32))
    assert index.cosines(np.array([0, 0, 1], np.float32), [7, 9, 55]) == {7: 1.0, 9: 0.0}
    assert index.ids() == {7, 9}

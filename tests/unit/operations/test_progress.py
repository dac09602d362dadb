import pytest

from operations.progress import progress

from .examples import chain, events, stack

CREATION = (
    "0 TopPicks CREATE_IN_PROGRESS",
    "1 Recommender CREATE_IN_PROGRESS",
    "10 Recommender CREATE_COMPLETE",
)


@pytest.mark.parametrize(
    ("status", "lines", "place", "left"),
    [
        ("CREATE_IN_PROGRESS", CREATION[:1], None, 3 * 3300),
        ("CREATE_IN_PROGRESS", CREATION[:2], "the recommender itself", 3 * 3300 - 99),
        ("CREATE_IN_PROGRESS", CREATION, None, 2 * 3300),
        (
            "CREATE_IN_PROGRESS",
            (*CREATION, "11 Gate1 CREATE_IN_PROGRESS", "12 Gate1 CREATE_IN_PROGRESS Initiated"),
            "Hour01Of02",
            2 * 3300 - 89,
        ),
        ("UPDATE_IN_PROGRESS", CREATION[:1], None, 3 * 3300),
        (
            "UPDATE_ROLLBACK_IN_PROGRESS",
            ("0 TopPicks UPDATE_ROLLBACK_IN_PROGRESS", "50 Gate2 UPDATE_IN_PROGRESS"),
            "Hour02Of02",
            3300 - 50,
        ),
        (
            "CREATE_IN_PROGRESS",
            (*CREATION, "20 Gate2 CREATE_COMPLETE"),
            None,
            0,
        ),
        (
            "DELETE_IN_PROGRESS",
            ("0 TopPicks DELETE_IN_PROGRESS", "40 Sweep2 DELETE_IN_PROGRESS"),
            "Sweep02",
            2 * 3300 - 60,
        ),
        (
            "ROLLBACK_IN_PROGRESS",
            (*CREATION, "30 TopPicks ROLLBACK_IN_PROGRESS", "31 Recommender DELETE_IN_PROGRESS"),
            "the recommender itself",
            3 * 3300 - 69,
        ),
    ],
)
def test_where_an_operation_is(
    status: str, lines: tuple[str, ...], place: str | None, left: float
) -> None:
    found = progress(stack(status), chain(), events(*lines), now=100)
    assert found
    assert (found.link.name if found.link else None) == place
    assert found.left == left
    assert found.share == 1 - left / (3 * 3300)


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "REVIEW_IN_PROGRESS"]
)
def test_where_nothing_is_to_be_decided_there_is_no_progress(status: str) -> None:
    assert progress(stack(status), chain(), events(*CREATION), now=100) is None


def test_a_link_that_is_over_its_time_has_none_left() -> None:
    found = progress(stack("CREATE_IN_PROGRESS"), chain(gates=0), events(*CREATION[:2]), now=9999)
    assert found
    assert found.left == 0
    assert found.share == 1

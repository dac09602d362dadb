import pytest

from operations.computations.template import looks_alike, restore_tags


@pytest.mark.parametrize(
    ("shown", "text", "expected"),
    [
        ("video", "video", True),
        ("video", "films", False),
        ("K?ln", "Köln", True),
        ("Koeln", "Köln", False),
        ("K?ln", "Köln am Rhein", False),
        ("??", "東京", True),
        ("??", "営業部", False),
        ("?", "\N{FILM PROJECTOR}", True),
        ("??", "\N{FILM PROJECTOR}", True),
        ("???", "\N{FILM PROJECTOR}", False),
    ],
)
def test_text_looks_alike_if_each_character_beyond_ascii_is_a_question_mark(
    shown: str, text: str, expected: bool
) -> None:
    assert looks_alike(shown, text) is expected


@pytest.mark.parametrize(
    ("shown", "actual", "restored"),
    [
        ({"team": "v?deo"}, {"team": "video"}, {"team": "v?deo"}),
        ({"Gr??e": "K?ln"}, {"Größe": "Köln", "team": "video"}, {"Größe": "Köln"}),
        (
            {"a": "M?ller", "b": "M?ller"},
            {"a": "Müller", "b": "Möller"},
            {"a": "Müller", "b": "Möller"},
        ),
        ({"??": "1"}, {"部署": "2", "都市": "1"}, {"都市": "1"}),
        ({"??": "3"}, {"部署": "2", "都市": "1"}, {"部署": "3"}),
        ({"??": "1", "???": "2"}, {"都市": "1", "部署名": "2"}, {"都市": "1", "部署名": "2"}),
        ({"??": "??"}, {"team": "東京"}, {"??": "??"}),
        ({"team": "??"}, {"city": "東京"}, {"team": "??"}),
    ],
)
def test_tags_are_restored_from_the_actual_tags_that_look_alike(
    shown: dict[str, str], actual: dict[str, str], restored: dict[str, str]
) -> None:
    assert restore_tags(shown, actual) == restored

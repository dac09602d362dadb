import io

from operations.screen import Screen


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_terminal_the_line_is_drawn_in_place() -> None:
    out = FakeTerminal()
    screen = Screen(out, lambda: 0.0)
    screen.line("begins")
    screen.progress("one", "1")
    screen.progress("two", "1")
    screen.line("ended")
    screen.line("and over")
    assert out.getvalue() == "begins\n\r\x1b[Kone\r\x1b[Ktwo\r\x1b[Kended\nand over\n"


def test_elsewhere_there_is_a_line_for_what_is_new_and_one_a_minute() -> None:
    out, now = io.StringIO(), [0.0]
    screen = Screen(out, lambda: now[0])
    for second, text, news in ((0, "a", "1"), (15, "b", "1"), (30, "c", "2"), (90, "d", "2")):
        now[0] = second
        screen.progress(text, news)
    screen.line("ended")
    assert out.getvalue() == "a\nc\nd\nended\n"

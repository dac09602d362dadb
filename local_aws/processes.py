"""Processes that end when they should: each leads a group of its own, which ends as a whole."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

GRACE: Final = 5.0
"""Seconds that a process has between SIGTERM and SIGKILL."""
RECORD_DEADLINE: Final = 1.0
"""Seconds that a claimed pid file may be without a record."""
_POLL: Final = 0.05
_STAY: Final = b"s"


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    capture: bool = False,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; whatever interrupts the wait ends it and all that it started.

    That goes for the end of this process too, however it comes.

    Args:
        command: The program and its arguments; it gets no standard input.
        env: Its whole environment.
        cwd: Its working directory.
        capture: Whether to return its output (both streams in `stdout`) or let it through.
        timeout: Seconds until it is ended and TimeoutExpired raised.
    """
    with (
        _pipe() as lifeline,
        subprocess.Popen(  # noqa: S603  # no shell, and no command from outside
            [sys.executable, "-P", __file__, *command],
            env=env,
            cwd=cwd,
            stdin=lifeline,
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.STDOUT if capture else None,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException:
            end_group(process.pid, has_ended=lambda: process.poll() is not None)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output)


@contextlib.contextmanager
def _pipe() -> Iterator[int]:
    """Yield the end to read from of a pipe that is closed with the context or the process."""
    reader, writer = os.pipe()
    try:
        yield reader
    finally:
        os.close(reader)
        os.close(writer)


def _run_here(command: Sequence[str]) -> int:
    """Run a command for `run`, in the process group that `run` has made."""
    end_with_starter()
    return subprocess.call(command, stdin=subprocess.DEVNULL)  # noqa: S603  # as in `run`


def end_group(leader: int, *, has_ended: Callable[[], bool]) -> None:
    """End a process group: SIGTERM, then SIGKILL for the processes that are left.

    Args:
        leader: The process id of its leader, which the caller must know to be alive.
        has_ended: Whether the leader has ended.
    """
    _signal_group(leader, signal.SIGTERM)
    _wait_until(has_ended, GRACE)
    # Whether or not the leader has ended by itself: what it started may still be there, and as long
    # as it is, the id of the group is not given to anybody else.
    _signal_group(leader, signal.SIGKILL)
    _wait_until(has_ended, GRACE)
    # Zombies that no process waits for would keep the group: then this is only a short wait.
    _wait_until(lambda: not _signal_group(leader, 0), 1.0)


def _signal_group(leader: int, number: int) -> bool:
    """Send a signal, 0 to send none, and return whether there was anybody to send it to."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):  # macOS: EPERM if only a zombie is left
        return False
    return True


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(_POLL)


def end_with_starter() -> None:
    """End this process group as soon as the process that started it has ended, however it did.

    For a leader whose standard input is a pipe from there, and unless `let_stay` is called there.
    """
    threading.Thread(target=_end_at_end_of_input, daemon=True).start()


def _end_at_end_of_input() -> None:
    if os.read(0, len(_STAY)) != _STAY:
        os.killpg(os.getpgrp(), signal.SIGKILL)


def let_stay(process: subprocess.Popen[bytes]) -> None:
    """Let a process that called `end_with_starter` outlive this one. Twice is once."""
    if process.stdin and not process.stdin.closed:
        process.stdin.write(_STAY)
        process.stdin.close()


class InUseError(Exception):
    """A running process holds the file."""


@dataclass(frozen=True)
class Holder:
    """The live process that holds a pid file."""

    pid: int
    port: int


class PidFile:
    """A file that names a process, locked for as long as that process lives.

    Only the lock counts: the kernel drops it with the process. So a file without a lock is stale,
    whatever it says and whichever process has that id by now.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextlib.contextmanager
    def claim(self) -> Iterator[IO[str]]:
        """Lock the file; the lock lives on in a process that inherits the open file.

        Raises:
            InUseError: A live process holds it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+") as file:
            if not _try_lock(file):
                raise InUseError(str(self._path))
            file.truncate(0)
            yield file

    @staticmethod
    def record(file: IO[str], holder: Holder) -> None:
        """Write down who holds a claimed file."""
        file.write(json.dumps({"pid": holder.pid, "port": holder.port}))
        file.flush()

    def holder(self) -> Holder | None:
        """Return the process that holds the file, if one does.

        Raises:
            InUseError: It is claimed, but its holder is not recorded within a second.
        """
        try:
            file = self._path.open()
        except FileNotFoundError:
            return None
        with file:
            if _try_lock(file, fcntl.LOCK_SH):
                return None
            _wait_until(lambda: self._path.stat().st_size > 0, RECORD_DEADLINE)
            if not (text := file.read()):
                raise InUseError(str(self._path))
            return Holder(**json.loads(text))


def _try_lock(file: IO[str], kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(_run_here(sys.argv[1:]))

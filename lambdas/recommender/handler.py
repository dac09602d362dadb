"""The two entry points: ``begin`` for CloudFormation, ``poll`` for the state machine.

Other modules are imported when they are needed. So a failing import, for example with a changed SDK
of the runtime, fails a deployment at once, and not when CloudFormation gives up.
"""

import gc
import logging
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from .protocol.answer import Answers, Delivery, failure

if TYPE_CHECKING:
    from .protocol.request_handler import RequestHandler

LOG = logging.getLogger(__name__)


def begin(event: Mapping[str, Any], _context: object) -> None:
    """Lambda entry point, the service token: begin a request of CloudFormation."""
    try:
        handler = _request_handler()
        from . import clients

        state_machine, interval = clients.state_machine(), clients.poll_interval()
    except Exception as error:
        LOG.exception("The function cannot start")
        answers = Answers.deployed()
        if answers.accept(event.get("ResponseURL")):
            reason = (
                f"Nothing was changed. The function cannot start: {error!r}. Deploy the previous "
                "version again, and report this defect."
            )
            if answers.put(event["ResponseURL"], failure(event, reason)) is Delivery.LATER:
                raise
        return
    handler.begin(event, state_machine, interval=interval)


def poll(state: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Lambda entry point: attempt a request, or deliver its answer."""
    return _request_handler().poll(state)


@cache
def _request_handler() -> "RequestHandler":
    """Import and connect the handler of requests, once.

    Python collects no garbage meanwhile: these objects stay, and a collection would make a cold
    start visibly longer (docs/internals/benchmarks.md). Later collections skip them.
    """
    gc.disable()
    try:
        from . import clients

        made = clients.request_handler()
        gc.freeze()
        return made
    finally:
        gc.enable()

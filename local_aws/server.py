"""The process of a local AWS, started by `local_aws.engine`.

It inherits the listening socket, so that no port is lost between finding it free and serving on
it; ministack reads its settings from the environment.
"""

import argparse
import asyncio
from typing import Final

from hypercorn.asyncio import serve
from hypercorn.config import Config

from local_aws import ministack, processes
from local_aws.gateway import app

_KEEP_ALIVE: Final = 75
"""Seconds, as in ministack's own `main`."""


def main() -> None:
    """Serve until killed: all state is in memory, so there is nothing that an orderly end saves."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen-fd", type=int, required=True)
    options = parser.parse_args()
    processes.end_with_starter()
    ministack.patch()
    config = Config()
    config.bind = [f"fd://{options.listen_fd}"]
    config.keep_alive_timeout = _KEEP_ALIVE
    asyncio.run(serve(app, config, shutdown_trigger=asyncio.Event().wait))


if __name__ == "__main__":
    main()

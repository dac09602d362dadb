"""Templates that several tests look at, each synthesised once in a session."""

import functools
import json
from typing import Any

import pytest

from tests.support.template import Synth, synthesised


@pytest.fixture(scope="session")
def synth() -> Synth:
    """Return a function from settings to the template, which is made once for equal settings."""
    made = functools.cache(lambda context: synthesised(**json.loads(context)))
    return lambda **context: made(json.dumps(context, sort_keys=True))


@pytest.fixture(scope="session")
def template(synth: Synth) -> dict[str, Any]:
    """Return the template with the default settings."""
    return dict(synth().to_json())

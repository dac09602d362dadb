"""The settings: each declared in one place, and validated before any construct exists.

Context values come from ``cdk.json`` with JSON's types, or as strings from ``-c key=value``; both
are parsed strictly. A wrong one raises ``SettingsError``, whose message names the key, the value,
what is allowed and what to do.
"""

from .context import PIPELINE_STACK, from_context, parse
from .declarations import Deployment, PipelineSettings, Settings
from .errors import PropertyError, SettingsError

__all__ = [
    "PIPELINE_STACK",
    "Deployment",
    "PipelineSettings",
    "PropertyError",
    "Settings",
    "SettingsError",
    "from_context",
    "parse",
]

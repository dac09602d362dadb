"""The settings: each declared in one place, and validated before any construct exists.

Context values come from ``cdk.json`` with JSON's types, or as strings from ``-c key=value``; both
are parsed strictly. A wrong value raises ``SettingsError``, whose message names the key, the value,
the allowed values and the remedy.
"""

from .context import PIPELINE_STACK, from_context, parse
from .declarations import Deployment, OneRecommender, PipelineSettings, Settings
from .errors import PropertyError, SettingsError

__all__ = [
    "PIPELINE_STACK",
    "Deployment",
    "OneRecommender",
    "PipelineSettings",
    "PropertyError",
    "Settings",
    "SettingsError",
    "from_context",
    "parse",
]

"""Rehearse Amazon Personalize on data: read it, judge it, train on it, measure the result.

`reading` reads files in the form that Personalize imports, and `findings` compares them with its
requirements. `training` trains a small model of this package's own on them, and `evaluation`
measures it as AWS documents. This is a STAND-IN, not Amazon's model.
"""

from typing import Final

NOTICE: Final = (
    "Trained on this machine, on these files, by a stand-in for Amazon's model. Amazon's "
    "recommender will score differently, and metrics of one cannot be compared with metrics of "
    "the other."
)
"""Shown wherever a person sees a number."""

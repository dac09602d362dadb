"""A rehearsal of what Amazon Personalize does with data: reading, judging, training, measuring.

Files in the form that Personalize imports are read (`reading`), held against what it requires
(`findings`), and trained on by a small model of this package's own, measured as AWS documents
(`training`, `evaluation`). This is a STAND-IN, not Amazon's model.
"""

from typing import Final

NOTICE: Final = (
    "Trained on this machine, on these files, by a stand-in for Amazon's model. Amazon's "
    "recommender will score differently, and metrics of one cannot be compared with metrics of "
    "the other."
)
"""What is to be said wherever a person sees a number."""

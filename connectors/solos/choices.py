"""What a rule says beyond performer, pipeline and step: the keys of ``Placement.choices`` for solOS.

The directory of sources can't be read (reference 7): a source is a number that a person looks up in solOS.
"""

from __future__ import annotations

SOURCE = "reference_id"  # where the lead comes from, an id of a directory in the settings of solOS

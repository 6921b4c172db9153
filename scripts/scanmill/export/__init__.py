"""DICOM out: what a case's results become for viewers, planning systems and archives.

Every object is made from an allow-list: `identity` decides whose it says it is, `source_images` holds
all that it may tell of the source, and nothing else of the source's headers is at hand.
"""

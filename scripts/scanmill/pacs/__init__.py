"""Series of a PACS, by DICOMweb or DIMSE: downloaded whole or not at all; and results sent back.

Nothing here logs, and no message quotes a UID, a name or a URL: what a server says stays with it.
"""

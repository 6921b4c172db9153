"""The identity of a scan's frame of reference, so that it can be compared and not be read.

Two DICOM objects lie in one physical space where their frame of reference UIDs are equal. The UID names
the patient's examination, so it stays out of results: what travels is a keyed digest of it. The key is
made of the scan's voxels, so that two cases of one patient have nothing in common.
"""

import hashlib
import hmac

import numpy as np


def seal(uid: str, array: np.ndarray) -> dict[str, str]:
    """The digest of a frame of reference UID, and the salt it takes to compare another UID with it.

    array: the scan's voxels, [z, y, x]. Source: HMAC-SHA256, RFC 2104, keyed with the salt.
    """
    salt = hashlib.sha256(np.ascontiguousarray(array)).hexdigest()
    return {"salt": salt, "digest": _digest(uid, salt)}


def matches(uid: str, sealed: dict[str, str]) -> bool:
    """Is this the UID that was sealed?"""
    return hmac.compare_digest(_digest(uid, sealed["salt"]), sealed["digest"])


def _digest(uid: str, salt: str) -> str:
    return hmac.new(bytes.fromhex(salt), uid.encode(), hashlib.sha256).hexdigest()

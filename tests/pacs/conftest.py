"""One Orthanc for all tests that need it, filled once."""

import orthanc
import pacs_labels
import pacs_series
import pytest
from orthanc import ROUTES, server
from pydicom import dcmread
from pydicom.misc import is_dicom
from pydicom.uid import ExplicitVRLittleEndian

LARGE, BROKEN = 20, 21


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Series of all syntaxes, by name; one of many instances; one in which the PACS mixed up a file."""
    folder = tmp_path_factory.mktemp("made")
    series = pacs_series.write_all(folder)
    plain = ExplicitVRLittleEndian
    series["large"] = pacs_series.write(folder / "large", LARGE, plain, slices=30)
    series["broken"] = pacs_series.write(folder / "broken", BROKEN, plain, study="1.2.826.0.1.9")
    return series


@pytest.fixture(scope="session")
def labels(made, tmp_path_factory):
    """A SEG and an RTSTRUCT of one of the series, by kind."""
    return pacs_labels.write_all(tmp_path_factory.mktemp("labels"), made["jpeg-2000"])


@pytest.fixture(scope="session")
def network(made, labels, tmp_path_factory):
    """A namespace with an Orthanc that was filled by STOW-RS and C-STORE in turn."""
    folder = tmp_path_factory.mktemp("orthanc") / "one"
    with (
        orthanc.network() as network,
        orthanc.orthanc(network, folder, MaximumStorageCacheSize=0),
    ):
        with network.entered():
            for n, series in enumerate([*made.values(), *labels.values()]):
                server(ROUTES[n % 2]).store(series.files)
        lost = dcmread(made["broken"].files[2]).SOPInstanceUID
        held = [file for file in (folder / "db").glob("*/*/*") if is_dicom(file)]
        (stored,) = [file for file in held if dcmread(file).SOPInstanceUID == lost]
        other = lost[:-1] + "9"
        stored.write_bytes(stored.read_bytes().replace(lost.encode(), other.encode()))
        yield network

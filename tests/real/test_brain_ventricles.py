"""A brainchop network as a model folder, and the recipe brain-ventricles on a real head."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import SimpleITK as sitk
from bodies import DATA
from scanmill import model_folder, recipe, recipe_models
from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.segmentation.network import Answer
from scanmill.volume_file import Volume

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "scripts"))
import convert_meshnet  # noqa: E402

MODELS = DATA / "models_brainchop"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not MODELS.is_dir(), reason="the shared networks are not here"),
]


def volume(path: Path) -> Volume:
    image = sitk.ReadImage(path)
    grid = Grid(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    return Volume(sitk.GetArrayFromImage(image), grid)


def test_the_converted_network_answers_as_the_one_that_others_converted():
    """Theirs, of niivue, has its axes the other way round: z, y, x."""
    folder = MODELS / "meshnet" / "model5_gw_ae"
    described = json.loads((folder / "model.json").read_text())
    ours = convert_meshnet.graph(described, convert_meshnet.safetensors(folder / "model.pth"))
    theirs = onnx.load(MODELS / "niivue-onnx_model5_gw.onnx")
    for end in (*theirs.graph.input, *theirs.graph.output):
        for n, size in enumerate((30, 34, 38), 2):
            end.type.tensor_type.shape.dim[n].dim_value = size
    image = np.random.default_rng(5).uniform(0, 1, (1, 1, 38, 34, 30)).astype(np.float32)
    answers = []
    for network, seen in ((ours, image), (theirs, image.transpose(0, 1, 4, 3, 2))):
        session = onnxruntime.InferenceSession(network.SerializeToString())
        name = session.get_inputs()[0].name
        answers.append(session.run(None, {name: np.ascontiguousarray(seen)})[0])
    np.testing.assert_allclose(answers[0], answers[1].transpose(0, 1, 4, 3, 2), atol=1e-3)


@pytest.mark.slow
def test_the_ventricles_of_a_head_whose_slices_are_stored_backwards(tmp_path):
    shipped = ROOT / "config" / "recipes" / "brain-ventricles.yaml"
    (tmp_path / "config" / "recipes").mkdir(parents=True)
    path = tmp_path / "config" / "recipes" / shipped.name
    path.write_text(shipped.read_text("utf-8"), "utf-8")
    colours = MODELS / "meshnet" / "model30chan18cls" / "colormap.json"
    folder = tmp_path / "models" / "meshnet-subcortical"
    convert_meshnet.convert(MODELS / "meshnet" / "subcortical", colours, folder)
    read = recipe.load(path)
    recipe_models.check(path, read.models)
    wanted = [name for s in read.structures for name in s["segment"]["classes"]]
    scan = volume(DATA / "seg3d_mr" / "MR.nii.gz")
    model = model_folder.read(read.models[0])
    found = Answer.of(scan.array, scan.grid, model, wanted).labels
    brain = volume(DATA / "seg3d_mr" / "Brain.nrrd")
    inside = resample_labels(Volume((brain.array > 0).astype(np.uint8), brain.grid), scan.grid) > 0
    assert (inside[found > 0]).mean() > 0.99
    # As seen: 27.6 mL with both inferior horns, 1.3 and 2.7.
    volumes = np.bincount(found.ravel(), minlength=5)[1:] * scan.grid.voxel_volume / 1000
    lateral, third, fourth = volumes[0] + volumes[1], volumes[2], volumes[3]
    assert (lateral, third, fourth) == pytest.approx((27.6, 1.34, 2.71), rel=0.05)

# What cases learn from: atlases, and the networks and shape models that the recipe has or that are made of
# its atlases.
from scanmill import recipe_learning, work

MODEL_FOLDER = "results/cohort/models/{recipe}"
SHAPE_FOLDER = "results/cohort/shapes/{recipe}"

ATLASES = work.atlases_of(SETTINGS)


def atlases_of(wildcards):
    """The atlases that a case is segmented by: all of its recipe; an atlas has its own labels."""
    taught = not is_atlas(wildcards.case) and recipe_of(wildcards).has_method("atlas")
    return ATLASES[ROWS[wildcards.case].recipe] if taught else []


def models_of(wildcards):
    """The folders of the recipe's trained networks."""
    return [str(folder) for folder in recipe_of(wildcards).models]


def learned_of(wildcards):
    """The folder of the network that is trained for the recipe, if one is."""
    if is_atlas(wildcards.case) or not recipe_of(wildcards).learned():
        return []
    return expand(f"{MODEL_FOLDER}/network", recipe=RECIPE_NAMES[ROWS[wildcards.case].recipe])


def shapes_of(wildcards):
    """The shape models of the recipe, if it has any."""
    if is_atlas(wildcards.case) or not recipe_of(wildcards).modelled():
        return []
    name = RECIPE_NAMES[ROWS[wildcards.case].recipe]
    return expand(f"{SHAPE_FOLDER}/shapes.npz", recipe=name)


def artefacts_of(wildcards):
    """The marks of a scan, where shape models are told what they hide."""
    case = wildcards.case
    return expand(f"{CASE_FOLDER}/artefacts.nii.gz", case=case) if shapes_of(wildcards) else []


def shapes_wanted(wildcards):
    """The structures of a recipe that models are made of, and the labels of all that atlases have."""
    recipe = SETTINGS.recipes[recipe_key(wildcards.recipe)]
    return {"of": recipe.modelled(), "labels": {s["name"]: s["label"] for s in recipe.of_atlas()}}


def recipe_key(name):
    """The key of the recipe of that name."""
    return next(key for key, other in RECIPE_NAMES.items() if other == name)


def exemplars_of(wildcards, file):
    """A file of each labelled scan that a network of the recipe learns from."""
    return expand(f"{CASE_FOLDER}/{file}", case=ATLASES[recipe_key(wildcards.recipe)])


def course_of(wildcards):
    """How the networks of a recipe are trained."""
    key = recipe_key(wildcards.recipe)
    return recipe_learning.course(SETTINGS.recipes[key].learn, len(ATLASES[key]))


def folds_of(wildcards, pattern):
    """A file of each fold."""
    folds = range(1, course_of(wildcards)["folds"] + 1)
    return expand(pattern, recipe=wildcards.recipe, fold=folds)


def learning_of(*keys):
    """Parameters of a network's training, by name, as functions of its recipe."""

    def one(key):
        def value(wildcards):
            recipe = SETTINGS.recipes[recipe_key(wildcards.recipe)]
            known = {"modality": recipe.modality, "structures": recipe.learned()}
            return (known | course_of(wildcards))[key]

        return value

    return {key: one(key) for key in keys}

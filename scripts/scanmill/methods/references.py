"""The works that methods follow, and how a text names them."""

from typing import NamedTuple


class Reference(NamedTuple):
    """A work. authors: `Family, Initials` of each, `others` for more. venue: journal or book."""

    authors: tuple[str, ...]
    year: int
    title: str
    venue: str
    doi: str
    kind: str = "article"

    def short(self) -> str:
        """As a text names it: `Grady 2006`, `Perona and Malik 1990`, `Avants et al. 2008`."""
        families = [author.partition(",")[0] for author in self.authors]
        if len(families) > 2 or families[-1] == "others":
            return f"{families[0]} et al. {self.year}"
        return f"{' and '.join(families)} {self.year}"

    def line(self) -> str:
        """As a list of references has it."""
        authors = ", ".join(author.replace(",", "") for author in self.authors)
        authors = authors.replace(", others", " et al.")
        doi = f" doi:{self.doi}" if self.doi else ""
        return f"{authors.rstrip('.')}. {self.title}. *{self.venue}*, {self.year}.{doi}"

    def bibtex(self, key: str) -> str:
        """An entry of that key."""
        venue = {"article": "journal", "inproceedings": "booktitle", "book": "publisher"}[self.kind]
        # Double braces: styles would take the capitals from names.
        fields = {"author": " and ".join(self.authors), "title": f"{{{self.title}}}"}
        fields |= {venue: self.venue, "year": str(self.year)} | (
            {"doi": self.doi} if self.doi else {}
        )
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
        return "\n".join([f"@{self.kind}{{{key},", *lines, "}"]) + "\n"


MEETING, BOOK = "inproceedings", "book"
TMI = "IEEE Transactions on Medical Imaging"
TPAMI = "IEEE Transactions on Pattern Analysis and Machine Intelligence"
REFERENCES = {
    "snakemake": Reference(
        ("Mölder, F.", "Jablonski, K. P.", "others"),
        2021,
        "Sustainable data analysis with Snakemake",
        "F1000Research",
        "10.12688/f1000research.29032.2",
    ),
    "numpy": Reference(
        ("Harris, C. R.", "Millman, K. J.", "others"),
        2020,
        "Array programming with NumPy",
        "Nature",
        "10.1038/s41586-020-2649-2",
    ),
    "antiga2008": Reference(
        ("Antiga, L.", "Piccinelli, M.", "others"),
        2008,
        "An image-based modeling framework for patient-specific computational hemodynamics",
        "Medical & Biological Engineering & Computing",
        "10.1007/s11517-008-0420-1",
    ),
    "raghavan2000": Reference(
        ("Raghavan, M. L.", "Vorp, D. A."),
        2000,
        "Toward a biomechanical tool to evaluate rupture potential of abdominal aortic aneurysm: "
        "identification of a finite strain constitutive model and evaluation of its applicability",
        "Journal of Biomechanics",
        "10.1016/S0021-9290(99)00201-8",
    ),
    "morgan2003": Reference(
        ("Morgan, E. F.", "Bayraktar, H. H.", "Keaveny, T. M."),
        2003,
        "Trabecular bone modulus-density relationships depend on anatomic site",
        "Journal of Biomechanics",
        "10.1016/S0021-9290(03)00071-X",
    ),
    "taddei2007": Reference(
        ("Taddei, F.", "Schileo, E.", "Helgason, B.", "Cristofolini, L.", "Viceconti, M."),
        2007,
        "The material mapping strategy influences the accuracy of CT-based finite element models of "
        "bones: An evaluation against experimental measurements",
        "Medical Engineering & Physics",
        "10.1016/j.medengphy.2006.10.014",
    ),
    "dapogny2014": Reference(
        ("Dapogny, C.", "Dobrzynski, C.", "Frey, P."),
        2014,
        "Three-dimensional adaptive domain remeshing, implicit domain meshing, and applications to "
        "free and moving boundary problems",
        "Journal of Computational Physics",
        "10.1016/j.jcp.2014.01.005",
    ),
    "taylor1973": Reference(
        ("Taylor, C.", "Hood, P."),
        1973,
        "A numerical solution of the Navier-Stokes equations using the finite element technique",
        "Computers & Fluids",
        "10.1016/0045-7930(73)90027-3",
    ),
    "dhondt2004": Reference(
        ("Dhondt, G.",),
        2004,
        "The finite element method for three-dimensional thermomechanical applications",
        "Wiley",
        "10.1002/0470021217",
        BOOK,
    ),
    "numba": Reference(
        ("Lam, S. K.", "Pitrou, A.", "Seibert, S."),
        2015,
        "Numba: a LLVM-based Python JIT compiler",
        "Proceedings of the Second Workshop on the LLVM Compiler Infrastructure in HPC",
        "10.1145/2833157.2833162",
        MEETING,
    ),
    "simpleitk": Reference(
        ("Lowekamp, B. C.", "Chen, D. T.", "Ibáñez, L.", "Blezek, D."),
        2013,
        "The Design of SimpleITK",
        "Frontiers in Neuroinformatics",
        "10.3389/fninf.2013.00045",
    ),
    "vtk": Reference(
        ("Schroeder, W.", "Martin, K.", "Lorensen, B."),
        2006,
        "The Visualization Toolkit",
        "Kitware",
        "",
        BOOK,
    ),
    "highdicom": Reference(
        ("Bridge, C. P.", "Gorman, C.", "others"),
        2022,
        "Highdicom: a Python Library for Standardized Encoding of Image Annotations and Machine "
        "Learning Model Outputs in Pathology and Radiology",
        "Journal of Digital Imaging",
        "10.1007/s10278-022-00683-y",
    ),
    "keys1981": Reference(
        ("Keys, R.",),
        1981,
        "Cubic convolution interpolation for digital image processing",
        "IEEE Transactions on Acoustics, Speech, and Signal Processing",
        "10.1109/TASSP.1981.1163711",
    ),
    "tustison2010": Reference(
        ("Tustison, N. J.", "Avants, B. B.", "others"),
        2010,
        "N4ITK: Improved N3 Bias Correction",
        TMI,
        "10.1109/TMI.2010.2046908",
    ),
    "perona1990": Reference(
        ("Perona, P.", "Malik, J."),
        1990,
        "Scale-space and edge detection using anisotropic diffusion",
        TPAMI,
        "10.1109/34.56205",
    ),
    "black1998": Reference(
        ("Black, M. J.", "Sapiro, G.", "Marimont, D. H.", "Heeger, D."),
        1998,
        "Robust anisotropic diffusion",
        "IEEE Transactions on Image Processing",
        "10.1109/83.661192",
    ),
    "meyer2010": Reference(
        ("Meyer, E.", "Raupach, R.", "others"),
        2010,
        "Normalized metal artifact reduction (NMAR) in computed tomography",
        "Medical Physics",
        "10.1118/1.3484090",
    ),
    "raya1990": Reference(
        ("Raya, S. P.", "Udupa, J. K."),
        1990,
        "Shape-based interpolation of multidimensional objects",
        TMI,
        "10.1109/42.52980",
    ),
    "ardekani1997": Reference(
        ("Ardekani, B. A.", "Kershaw, J.", "Braun, M.", "Kanno, I."),
        1997,
        "Automatic detection of the mid-sagittal plane in 3-D brain images",
        TMI,
        "10.1109/42.563663",
    ),
    "stroom1997": Reference(
        ("Stroom, J. C.", "Storchi, P. R. M."),
        1997,
        "Automatic calculation of three-dimensional margins around treatment volumes in radiotherapy "
        "planning",
        "Physics in Medicine and Biology",
        "10.1088/0031-9155/42/4/012",
    ),
    "kriegeskorte2001": Reference(
        ("Kriegeskorte, N.", "Goebel, R."),
        2001,
        "An efficient algorithm for topologically correct segmentation of the cortical sheet in "
        "anatomical MR volumes",
        "NeuroImage",
        "10.1006/nimg.2001.0831",
    ),
    "grady2005": Reference(
        ("Grady, L.",),
        2005,
        "Multilabel random walker image segmentation using prior models",
        "IEEE Conference on Computer Vision and Pattern Recognition",
        "10.1109/CVPR.2005.239",
        MEETING,
    ),
    "grady2006": Reference(
        ("Grady, L.",),
        2006,
        "Random walks for image segmentation",
        TPAMI,
        "10.1109/TPAMI.2006.233",
    ),
    "avants2008": Reference(
        ("Avants, B. B.", "Epstein, C. L.", "Grossman, M.", "Gee, J. C."),
        2008,
        "Symmetric diffeomorphic image registration with cross-correlation: evaluating automated "
        "labeling of elderly and neurodegenerative brain",
        "Medical Image Analysis",
        "10.1016/j.media.2007.06.004",
    ),
    "vercauteren2008": Reference(
        ("Vercauteren, T.", "Pennec, X.", "Perchant, A.", "Ayache, N."),
        2008,
        "Symmetric log-domain diffeomorphic registration: a demons-based approach",
        "Medical Image Computing and Computer-Assisted Intervention",
        "10.1007/978-3-540-85988-8_90",
        MEETING,
    ),
    "wang2013": Reference(
        ("Wang, H.", "Suh, J. W.", "others"),
        2013,
        "Multi-atlas segmentation with joint label fusion",
        TPAMI,
        "10.1109/TPAMI.2012.143",
    ),
    "leemput1999": Reference(
        ("Van Leemput, K.", "Maes, F.", "Vandermeulen, D.", "Suetens, P."),
        1999,
        "Automated model-based tissue classification of MR images of the brain",
        TMI,
        "10.1109/42.811270",
    ),
    "isensee2021": Reference(
        ("Isensee, F.", "Jaeger, P. F.", "others"),
        2021,
        "nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation",
        "Nature Methods",
        "10.1038/s41592-020-01008-z",
    ),
    "cootes1995": Reference(
        ("Cootes, T. F.", "Taylor, C. J.", "Cooper, D. H.", "Graham, J."),
        1995,
        "Active shape models: their training and application",
        "Computer Vision and Image Understanding",
        "10.1006/cviu.1995.1004",
    ),
    "gibson1998": Reference(
        ("Gibson, S. F. F.",),
        1998,
        "Constrained elastic surface nets: generating smooth surfaces from binary segmented data",
        "Medical Image Computing and Computer-Assisted Intervention",
        "10.1007/BFb0056277",
        MEETING,
    ),
    "taubin1996": Reference(
        ("Taubin, G.", "Zhang, T.", "Golub, G."),
        1996,
        "Optimal surface smoothing as filter design",
        "European Conference on Computer Vision",
        "10.1007/BFb0015544",
        MEETING,
    ),
    "garland1997": Reference(
        ("Garland, M.", "Heckbert, P. S."),
        1997,
        "Surface simplification using quadric error metrics",
        "Proceedings of SIGGRAPH",
        "10.1145/258734.258849",
        MEETING,
    ),
    "zwanenburg2020": Reference(
        ("Zwanenburg, A.", "Vallières, M.", "others"),
        2020,
        "The Image Biomarker Standardization Initiative: standardized quantitative radiomics for "
        "high-throughput image-based phenotyping",
        "Radiology",
        "10.1148/radiol.2020191145",
    ),
    "eisenhauer2009": Reference(
        ("Eisenhauer, E. A.", "Therasse, P.", "others"),
        2009,
        "New response evaluation criteria in solid tumours: revised RECIST guideline (version 1.1)",
        "European Journal of Cancer",
        "10.1016/j.ejca.2008.10.026",
    ),
    "maierhein2024": Reference(
        ("Maier-Hein, L.", "Reinke, A.", "others"),
        2024,
        "Metrics reloaded: recommendations for image analysis validation",
        "Nature Methods",
        "10.1038/s41592-023-02151-z",
    ),
    "nikolov2021": Reference(
        ("Nikolov, S.", "Blackwell, S.", "others"),
        2021,
        "Clinically applicable segmentation of head and neck anatomy for radiotherapy: deep learning "
        "algorithm development and validation study",
        "Journal of Medical Internet Research",
        "10.2196/26151",
    ),
    "bland1999": Reference(
        ("Bland, J. M.", "Altman, D. G."),
        1999,
        "Measuring agreement in method comparison studies",
        "Statistical Methods in Medical Research",
        "10.1177/096228029900800204",
    ),
    "mcgraw1996": Reference(
        ("McGraw, K. O.", "Wong, S. P."),
        1996,
        "Forming inferences about some intraclass correlation coefficients",
        "Psychological Methods",
        "10.1037/1082-989X.1.1.30",
    ),
    "zou2008": Reference(
        ("Zou, G. Y.", "Donner, A."),
        2008,
        "Construction of confidence limits about effect measures: a general approach",
        "Statistics in Medicine",
        "10.1002/sim.3095",
    ),
    "imbens2016": Reference(
        ("Imbens, G. W.", "Kolesár, M."),
        2016,
        "Robust standard errors in small samples: some practical advice",
        "Review of Economics and Statistics",
        "10.1162/REST_a_00552",
    ),
    "hedges1981": Reference(
        ("Hedges, L. V.",),
        1981,
        "Distribution theory for Glass's estimator of effect size and related estimators",
        "Journal of Educational Statistics",
        "10.3102/10769986006002107",
    ),
    "holm1979": Reference(
        ("Holm, S.",),
        1979,
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics",
        "",
    ),
    "benjamini1995": Reference(
        ("Benjamini, Y.", "Hochberg, Y."),
        1995,
        "Controlling the false discovery rate: a practical and powerful approach to multiple testing",
        "Journal of the Royal Statistical Society: Series B",
        "10.1111/j.2517-6161.1995.tb02031.x",
    ),
    "seabold2010": Reference(
        ("Seabold, S.", "Perktold, J."),
        2010,
        "statsmodels: econometric and statistical modeling with Python",
        "Proceedings of the 9th Python in Science Conference",
        "10.25080/Majora-92bf1922-011",
        MEETING,
    ),
}

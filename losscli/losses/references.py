"""The works that the losses come from. A loss cites them by their keys."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One work, as a list of references shows it.

    Attributes:
        authors: in the order and the spelling of the work.
        year: of the first publication.
        title: in its own language.
        published: the journal, proceedings or publisher, with volume and pages.
        link: where to read it; empty where there is no lasting address.
    """

    authors: str
    year: int
    title: str
    published: str
    link: str = ""

    def __str__(self) -> str:
        text = f"{self.authors} ({self.year}). {self.title}. {self.published}."
        return f"{text} {self.link}" if self.link else text


REFERENCES: dict[str, Reference] = {
    "boscovich1757": Reference(
        "R. J. Boscovich",
        1757,
        "De litteraria expeditione per pontificiam ditionem",
        "De Bononiensi Scientiarum et Artium Instituto atque Academia Commentarii 4, 353-396",
    ),
    "laplace1774": Reference(
        "P.-S. Laplace",
        1774,
        "Mémoire sur la probabilité des causes par les événements",
        "Mémoires de mathématique et de physique, présentés à l'Académie royale des sciences 6, 621-656",
    ),
    "legendre1805": Reference(
        "A.-M. Legendre",
        1805,
        "Nouvelles méthodes pour la détermination des orbites des comètes",
        "Firmin Didot, Paris",
    ),
    "gauss1809": Reference(
        "C. F. Gauss",
        1809,
        "Theoria motus corporum coelestium in sectionibus conicis solem ambientium",
        "Perthes et Besser, Hamburg",
    ),
    "shannon1948": Reference(
        "C. E. Shannon",
        1948,
        "A Mathematical Theory of Communication",
        "Bell System Technical Journal 27(3), 379-423",
        "https://doi.org/10.1002/j.1538-7305.1948.tb01338.x",
    ),
    "good1952": Reference(
        "I. J. Good",
        1952,
        "Rational Decisions",
        "Journal of the Royal Statistical Society B 14(1), 107-114",
        "https://doi.org/10.1111/j.2517-6161.1952.tb00104.x",
    ),
    "cox1958": Reference(
        "D. R. Cox",
        1958,
        "The Regression Analysis of Binary Sequences",
        "Journal of the Royal Statistical Society B 20(2), 215-232",
        "https://doi.org/10.1111/j.2517-6161.1958.tb00292.x",
    ),
    "huber1964": Reference(
        "P. J. Huber",
        1964,
        "Robust Estimation of a Location Parameter",
        "The Annals of Mathematical Statistics 35(1), 73-101",
        "https://doi.org/10.1214/aoms/1177703732",
    ),
    "bridle1990": Reference(
        "J. S. Bridle",
        1990,
        "Probabilistic Interpretation of Feedforward Classification Network Outputs, with Relationships to "
        "Statistical Pattern Recognition",
        "Neurocomputing: Algorithms, Architectures and Applications, NATO ASI Series F 68, 227-236",
        "https://doi.org/10.1007/978-3-642-76153-9_28",
    ),
    "king2001": Reference(
        "G. King, L. Zeng",
        2001,
        "Logistic Regression in Rare Events Data",
        "Political Analysis 9(2), 137-163",
        "https://doi.org/10.1093/oxfordjournals.pan.a004868",
    ),
    "hadsell2006": Reference(
        "R. Hadsell, S. Chopra, Y. LeCun",
        2006,
        "Dimensionality Reduction by Learning an Invariant Mapping",
        "Proceedings of the IEEE Conference on Computer Vision and Pattern Recognition (CVPR) 2, 1735-1742",
        "https://doi.org/10.1109/CVPR.2006.100",
    ),
    "weinberger2009": Reference(
        "K. Q. Weinberger, L. K. Saul",
        2009,
        "Distance Metric Learning for Large Margin Nearest Neighbor Classification",
        "Journal of Machine Learning Research 10, 207-244",
        "https://jmlr.org/papers/v10/weinberger09a.html",
    ),
    "schroff2015": Reference(
        "F. Schroff, D. Kalenichenko, J. Philbin",
        2015,
        "FaceNet: A Unified Embedding for Face Recognition and Clustering",
        "Proceedings of the IEEE Conference on Computer Vision and Pattern Recognition (CVPR), 815-823",
        "https://arxiv.org/abs/1503.03832",
    ),
    "xie2015": Reference(
        "S. Xie, Z. Tu",
        2015,
        "Holistically-Nested Edge Detection",
        "Proceedings of the IEEE International Conference on Computer Vision (ICCV), 1395-1403",
        "https://arxiv.org/abs/1504.06375",
    ),
    "balntas2016": Reference(
        "V. Balntas, E. Riba, D. Ponsa, K. Mikolajczyk",
        2016,
        "Learning Local Feature Descriptors with Triplets and Shallow Convolutional Neural Networks",
        "Proceedings of the British Machine Vision Conference (BMVC), 119.1-119.11",
        "https://doi.org/10.5244/C.30.119",
    ),
    "szegedy2016": Reference(
        "C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna",
        2016,
        "Rethinking the Inception Architecture for Computer Vision",
        "Proceedings of the IEEE Conference on Computer Vision and Pattern Recognition (CVPR), 2818-2826",
        "https://arxiv.org/abs/1512.00567",
    ),
    "lin2017": Reference(
        "T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár",
        2017,
        "Focal Loss for Dense Object Detection",
        "Proceedings of the IEEE International Conference on Computer Vision (ICCV), 2980-2988",
        "https://arxiv.org/abs/1708.02002",
    ),
    "cui2019": Reference(
        "Y. Cui, M. Jia, T.-Y. Lin, Y. Song, S. Belongie",
        2019,
        "Class-Balanced Loss Based on Effective Number of Samples",
        "Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR), 9268-9277",
        "https://arxiv.org/abs/1901.05555",
    ),
}

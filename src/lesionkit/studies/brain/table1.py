"""The paper's Table 1: three lists of ten features, as data.

Thirty entries; S(5,-5)InvDfMom and S(0,1)InvDfMom are in two lists. "S(0,4) correlate" beside
"S(0,4) correlation" is read as S(0,4)Contrast, since (0,3) and (0,5) have both (inferred).
"Percent 0.01%" is Perc.01%, the first percentile. The lists are most likely those of POE+ACC, of
Fisher or mutual information, and of the other: MaZda prints three of ten.
"""

from __future__ import annotations

LISTS: tuple[tuple[str, ...], ...] = (
    (
        "S(0,2)SumVarnc",
        "S(1,0)SumAverg",
        "S(3,3)Entropy",
        "S(1,0)Correlat",
        "S(5,-5)InvDfMom",
        "S(0,1)AngScMom",
        "S(5,5)Entropy",
        "S(1,1)SumVarnc",
        "Skewness",
        "Perc.01%",
    ),
    (
        "S(2,2)InvDfMom",
        "S(0,2)InvDfMom",
        "S(0,3)InvDfMom",
        "S(3,-3)InvDfMom",
        "S(4,-4)InvDfMom",
        "S(0,1)InvDfMom",
        "S(0,4)InvDfMom",
        "S(5,-5)InvDfMom",
        "S(2,-2)InvDfMom",
        "S(0,5)InvDfMom",
    ),
    (
        "S(0,5)Correlat",
        "S(0,3)SumAverg",
        "S(0,4)Correlat",
        "S(0,1)InvDfMom",
        "S(2,2)Correlat",
        "S(0,4)SumAverg",
        "S(0,4)Contrast",
        "S(0,5)Contrast",
        "S(0,3)Correlat",
        "S(0,3)Contrast",
    ),
)

TABLE1: tuple[str, ...] = tuple(dict.fromkeys(name for names in LISTS for name in names))
"""The 28 distinct names, by list, then by rank."""

CNN = {"accuracy": 0.845, "kappa": 0.69, "tp_rate": 0.845, "fp_rate": 0.155, "auc": 0.897}
"""The paper's Table 2, of 400 regions; its data are private, its protocol is not told."""

LSTM = {"accuracy": 0.837093, "kappa": 0.65, "tp_rate": 0.825, "fp_rate": 0.175, "auc": 0.887}
"""The same of the LSTM. Kappa and rates belong to an accuracy of .825, not to the printed one."""

CONFUSION = ((186, 14), (48, 152))
"""The paper's Table 3, the CNN's: rows true normal and abnormal, columns as called."""

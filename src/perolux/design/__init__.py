"""Floor 3: from wanted light to recipes. So far: a surrogate of real recipes (`learn`, `predict_table`)."""

from perolux.design.surrogate import cross_validate, learn, predict_table

__all__ = ["cross_validate", "learn", "predict_table"]

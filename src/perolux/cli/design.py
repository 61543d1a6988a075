"""`perolux learn`, `perolux predict`: a surrogate of real recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from perolux.cli.console import number, print_json, print_table, terminal_progress

__all__ = ["learn", "predict"]

Json = Annotated[bool, Parameter(negative="", help="print one JSON document")]


def learn(
    table: Annotated[Path, Parameter(help="CSV, one synthesis a row")],
    *,
    target: Annotated[str, Parameter(help="columns to predict, joined by commas")],
    features: Annotated[str, Parameter(help="columns of the recipe, joined by commas; text is a category")],
    out: Annotated[Path, Parameter(help="model folder")],
    prior_mean: Annotated[str | None, Parameter(help="column with a model's own prediction")] = None,
    repeats: Annotated[int, Parameter(help="repeats of the cross-validation, 1 to 20")] = 1,
    replace: Annotated[bool, Parameter(negative="", help="replace a model in this folder")] = False,
    json: Json = False,
) -> None:
    """Learn a table of recipes; the score is a cross-validation in which no recipe is on both sides."""
    from perolux.design import learn as learn_table
    from perolux.errors import OptionError

    if not 1 <= repeats <= 20:
        raise OptionError(f"--repeats {repeats}", allowed="1 to 20")
    record = learn_table(
        table, _names(target), _names(features), out,
        prior_mean=prior_mean, repeats=repeats, replace=replace, progress=terminal_progress(),
    )  # fmt: skip
    from perolux.reports.surrogate import write_surrogate_report

    record = record | {"report": str(write_surrogate_report(out))}
    if json:
        print_json(record)
        return
    rows = [
        [name, str(one["rows"]), str(one["recipes"]), str(one["missing"])]
        + [
            f"{one[key]:.4g}"
            for key in ("mean_absolute_error", "median_absolute_error", "mean_predictor_error")
        ]
        + [number(100 * one["coverage95"], 1)]
        for name, one in record["cross_validation"].items()
    ]
    columns = [
        "target",
        "rows",
        "recipes",
        "missing",
        "mean error",
        "median error",
        "mean predictor",
        "cover %",
    ]
    print_table(f"{out}: 5-fold cross-validation by recipe", columns, rows, f"report: {record['report']}")


def predict(
    model: Annotated[Path, Parameter(help="model folder of perolux learn")],
    table: Annotated[Path, Parameter(help="CSV of recipes")],
    *,
    json: Json = False,
) -> None:
    """Predict each row of a table with its 95 % interval; rows outside the training data are flagged."""
    from perolux.design import predict_table

    answer = predict_table(model, table)
    if json:
        print_json(answer)
        return
    rows = [
        [
            str(i),
            name,
            *(f"{row[name][key]:.5g}" for key in ("median", "low95", "high95")),
            "; ".join(row["outside"]),
        ]
        for i, row in enumerate(answer["rows"], 1)
        for name in row
        if name not in ("inside_training_hull", "outside")
    ]
    print_table("", ["row", "target", "median", "low95", "high95", "outside the training data"], rows)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]

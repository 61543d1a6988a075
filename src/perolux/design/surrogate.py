"""Learn a table of recipes, check it by recipe-grouped cross-validation, keep it as plain files, predict."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.design.features import Encoding, encode, learn_encoding, outside_hull
from perolux.design.gaussian_process import Fitted, Hyperparameters, fit, predict, quantiles, refit
from perolux.design.table import Table, numbers, read_table
from perolux.errors import InputError, OptionError, OutputError
from perolux.files import sha256_of, whole_folder, write_json, write_text
from perolux.progress import Progress, silent, track

__all__ = ["cross_validate", "learn", "predict_table"]

Array = npt.NDArray[np.float64]
_FOLDS = 5
_LEAST_RECIPES = 10
_FORMAT = 1


@dataclass(frozen=True)
class _Data:
    table: Table
    x: Array
    y: Array
    prior: Array
    encoding: Encoding
    groups: npt.NDArray[np.int64]
    missing: int


def learn(
    table: str | Path,
    targets: list[str],
    features: list[str],
    out: str | Path,
    *,
    prior_mean: str | None = None,
    repeats: int = 1,
    replace: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Fit one Gaussian process a target and write the model folder; returns its record.

    Rows without a target are left out of that target and counted. Equal recipes are kept as repeats: their
    scatter is noise. `prior_mean` names a column in the unit of the (single) target; the residual is learned.
    Raises `InputError`, `OptionError`, `OutputError`.
    """
    out, source = Path(out), read_table(table)
    if out.exists() and not (replace and (out / "model.json").is_file()):
        raise OutputError(
            "the model folder exists", where=str(out), fix="--replace (a model only) or another --out"
        )
    names = targets + features + ([prior_mean] if prior_mean else [])
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not targets or not features:
        raise OptionError(f"named twice: {', '.join(twice)}" if twice else "no target or no feature")
    if prior_mean and len(targets) > 1:
        raise OptionError("a prior mean belongs to one target", fix="learn each target by itself")
    models, scores, residuals = {}, {}, []
    for target in track(targets, "learning", len(targets), progress):
        data = _prepare(source, target, features, prior_mean)
        fitted = fit(data.x, data.y - data.prior, len(data.encoding.categories))
        score, rows = cross_validate(data.x, data.y, data.prior, data.groups, data.encoding, repeats)
        scores[target] = {
            "rows": len(data.y),
            "recipes": int(data.groups.max()) + 1,
            "missing": data.missing,
            **score,
        }
        models[target] = {
            "encoding": asdict(data.encoding),
            "amplitude": fitted.parameters.amplitude,
            "noise": fitted.parameters.noise,
            "lengths": fitted.parameters.lengths.tolist(),
        }
        residuals += [[target, data.table.lines[i], repeat, *values] for i, repeat, *values in rows]
    record = {"format": _FORMAT, "features": features, "prior_mean": prior_mean, "cross_validation": scores}
    _write_folder(out, source, names, record | {"models": models}, residuals)
    return {"folder": str(out)} | record | {"dropped": {t: models[t]["encoding"]["dropped"] for t in targets}}


def cross_validate(
    x: Array, y: Array, prior: Array, groups: npt.NDArray[np.int64], encoding: Encoding, repeats: int
) -> tuple[dict[str, Any], list[list[Any]]]:
    """Five folds over recipes (repeats of a recipe stay together); scores, out-of-fold rows.

    Repeat i has the seed i. Hyperparameters are fitted anew in each fold; scales of the
    features use the whole table (no targets).
    """
    rows: list[list[Any]] = []
    per_repeat: list[dict[str, float]] = []
    for repeat in range(repeats):
        fold = (np.random.default_rng(repeat).permutation(groups.max() + 1) % _FOLDS)[groups]
        answer, mean_error = np.empty((len(y), 3)), np.empty(len(y))
        for k in range(_FOLDS):
            test = fold == k
            fitted = fit(x[~test], (y - prior)[~test], len(encoding.categories))
            answer[test] = _bands(fitted, x[test], prior[test], len(encoding.categories))
            mean_error[test] = np.abs(y[test] - y[~test].mean())
        error = np.abs(answer[:, 0] - y)
        per_repeat.append(
            {
                "mean_absolute_error": float(error.mean()),
                "median_absolute_error": float(np.median(error)),
                "coverage95": float(np.mean((answer[:, 1] <= y) & (y <= answer[:, 2]))),
                "mean_predictor_error": float(mean_error.mean()),
            }
        )
        rows += [[i, repeat, float(y[i]), *map(float, answer[i])] for i in range(len(y))]
    score: dict[str, Any] = {key: float(np.mean([one[key] for one in per_repeat])) for key in per_repeat[0]}
    return score | {"repeats": per_repeat}, rows


def predict_table(folder: str | Path, table: str | Path) -> dict[str, Any]:
    """Median and 95 % interval of a new flask (noise included) for each row; inside the hull or not.

    The process is refitted at the stored hyperparameters. Raises `InputError` on a damaged folder.
    """
    folder, source = Path(folder), read_table(table)
    try:
        record = json.loads((folder / "model.json").read_text("utf-8"))
        whole = record["sha256"] == sha256_of(folder / "table.csv") and record["format"] == _FORMAT
        features, prior_mean, models = record["features"], record["prior_mean"], record["models"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "no model of perolux, or a damaged one", where=str(folder), fix="learn it again"
        ) from error
    if not whole:
        raise InputError("table.csv is not the one that was learned", where=str(folder), fix="learn it again")
    training = read_table(folder / "table.csv")
    rows: list[dict[str, Any]] = [{} for _ in source.lines]
    reasons: list[list[str]] = [[] for _ in source.lines]
    prior = np.array(numbers(source, prior_mean) if prior_mean else np.zeros(len(rows)), float)
    for target, model in models.items():
        try:
            encoding = Encoding(**model["encoding"])
            parameters = Hyperparameters(
                model["amplitude"], model["noise"], np.array(model["lengths"], float)
            )
            data = _prepare(training, target, features, prior_mean, encoding)
            fitted = refit(data.x, data.y - data.prior, parameters, len(encoding.categories))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("model.json is damaged", where=str(folder), fix="learn it again") from error
        x = encode(source, encoding)
        for i, (median, low, high) in enumerate(_bands(fitted, x, prior, len(encoding.categories))):
            rows[i][target] = {"median": float(median), "low95": float(low), "high95": float(high)}
        for i, why in enumerate(outside_hull(data.x, x, encoding)):
            reasons[i] += [one for one in why if one not in reasons[i]]
    for row, why in zip(rows, reasons, strict=True):
        row["inside_training_hull"] = not why
        row["outside"] = why
    return {"rows": rows, "outside": sum(bool(why) for why in reasons)}


def _bands(fitted: Fitted, x: Array, prior: Array, categories: int) -> Array:
    mean, sigma, scale = predict(fitted, x, categories)
    low, high = (quantiles(mean, sigma, scale, share) for share in (0.025, 0.975))
    return np.transpose([mean, low, high]) + prior[:, None]


def _prepare(
    source: Table, target: str, features: list[str], prior_mean: str | None, encoding: Encoding | None = None
) -> _Data:
    y = numbers(source, target, missing=True)
    kept = [i for i, value in enumerate(y) if value is not None]
    table = Table(
        source.name,
        {name: [cells[i] for i in kept] for name, cells in source.columns.items()},
        [source.lines[i] for i in kept],
    )
    recipes = list(zip(*(table.column(name) for name in features), strict=True))
    if len(set(recipes)) < _LEAST_RECIPES:
        raise InputError(
            f"{len(set(recipes))} different recipes have a {target!r}",
            where=source.name,
            allowed="10 or more",
        )
    encoding = encoding or learn_encoding(table, features)
    x = encode(table, encoding)
    groups = np.unique(np.round(x, 9), axis=0, return_inverse=True)[1].ravel()
    prior = np.array(numbers(table, prior_mean) if prior_mean else np.zeros(len(kept)), float)
    values = np.array([y[i] for i in kept], float)
    return _Data(table, x, values, prior, encoding, groups, len(y) - len(kept))


def _write_folder(
    out: Path, source: Table, names: list[str], record: dict[str, Any], residuals: list[list[Any]]
) -> None:
    with whole_folder(out) as folder:
        cells = zip(*(source.columns[name] for name in names), strict=True)
        write_text(folder / "table.csv", _csv(names, cells))
        head = ["target", "line", "repeat", "measured", "median", "low95", "high95"]
        write_text(folder / "cross_validation.csv", _csv(head, residuals))
        kept = {"lines": source.lines, "sha256": sha256_of(folder / "table.csv")}
        write_json(folder / "model.json", record | kept)


def _csv(head: list[str], rows: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()

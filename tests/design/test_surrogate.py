from __future__ import annotations

import json

import numpy as np
import pytest

from perolux.design import gaussian_process as gp
from perolux.design import learn, predict_table
from perolux.errors import InputError, OutputError


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(1)
    x, z = rng.uniform(1.0, 50.0, 40), rng.uniform(0.0, 1.0, 40)
    words = np.where(np.arange(40) % 2, "a", "b")
    y = 460 + 10 * np.log(x) + 5 * z + 3 * (words == "a") + rng.normal(0, 0.5, 40)
    lines = [f"{a:.4f},{b:.4f},{w},{t:.3f},1" for a, b, w, t in zip(x, z, words, y, strict=True)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["x,z,word,y,one", *lines, "3,0.5,a,,1"]) + "\n")
    return path


def test_gradient_and_posterior_against_plain_formulas():
    rng = np.random.default_rng(0)
    x, y = np.c_[rng.normal(size=(15, 2)), rng.integers(0, 3, 15)], rng.normal(size=15)
    squares, w = gp.squared_distances(x, x, 1), rng.uniform(0.3, 1.5, 15)
    theta = np.array([0.1, -1.0, 0.2, 0.5, 0.9])
    _, gradient = gp._negative_log_posterior(theta, squares, y, w)
    for j in range(5):
        step = 1e-5 * np.eye(5)[j]
        up, down = (gp._negative_log_posterior(theta + s, squares, y, w)[0] for s in (step, -step))
        # Central differences of step 1e-5: their own error is about 1e-9.
        assert gradient[j] == pytest.approx((up - down) / 2e-5, abs=1e-6)
    parameters = gp._parameters(theta)
    fitted = gp.refit(x, y, parameters, 1)
    mean, sigma, _ = gp.predict(fitted, x, 1)
    k = parameters.amplitude * gp.matern52(squares, parameters.lengths)[0]
    inverse = np.linalg.inv(k + np.diag(parameters.noise**2 / fitted.weights))
    target = (y - fitted.mean) / fitted.spread
    # 1e-10 on the diagonal of the solver is the only difference.
    np.testing.assert_allclose(mean, fitted.mean + fitted.spread * k @ inverse @ target, atol=1e-7)
    np.testing.assert_allclose((sigma / fitted.spread) ** 2, np.diag(k - k @ inverse @ k), atol=1e-7)


def test_quantiles_in_their_limits():
    one = np.array([0.0])
    from scipy.stats import t

    assert gp.quantiles(one, one, 2.0, 0.975)[0] == pytest.approx(2 * t.ppf(0.975, 4), rel=1e-6)
    # Narrow noise under a wide Gaussian: the 32-point sum over f becomes a staircase.
    assert gp.quantiles(one, one + 1.0, 0.4, 0.975)[0] == pytest.approx(
        1.96 * np.sqrt(1 + 2 * 0.16), rel=0.02
    )


def test_round_trip_flags_and_damage(table, tmp_path):
    record = learn(table, ["y"], ["x", "z", "word", "one"], tmp_path / "m")
    score = record["cross_validation"]["y"]
    assert (score["rows"], score["missing"], record["dropped"]["y"]) == (40, 1, ["one"])
    assert score["mean_absolute_error"] < 0.3 * score["mean_predictor_error"]
    new = tmp_path / "new.csv"
    new.write_text("word,x,z,one\na,5,0.5,1\nq,5,0.5,1\nb,500,0.5,1\n")
    rows = predict_table(tmp_path / "m", new)["rows"]
    assert [row["inside_training_hull"] for row in rows] == [True, False, False]
    assert rows[1]["outside"] == ["word: unknown category"]
    assert rows[2]["outside"] == ["x: above the training range"]
    widths = [row["y"]["high95"] - row["y"]["low95"] for row in rows]
    assert widths[0] < min(widths[1:])
    json.dumps(rows, allow_nan=False)
    with pytest.raises(OutputError, match="exists"):
        learn(table, ["y"], ["x"], tmp_path / "m")
    (tmp_path / "m" / "table.csv").write_text("x,y\n1,2\n")
    with pytest.raises(InputError, match="not the one"):
        predict_table(tmp_path / "m", new)


def test_a_prior_mean_is_added_to_what_is_learned(table, tmp_path):
    lines = table.read_text().splitlines()
    far = [lines[0] + ",model"] + [f"{line},{1000 + i}" for i, line in enumerate(lines[1:])]
    path = tmp_path / "prior.csv"
    # a model that is off by a huge, known amount: only the residual is small and smooth
    rows = [line.split(",") for line in far[1:-1]]
    text = [far[0]] + [",".join([*r[:5], str(float(r[3]) - 5.0)]) for r in rows]
    path.write_text("\n".join(text) + "\n")
    learn(path, ["y"], ["x", "z", "word"], tmp_path / "m", prior_mean="model")
    new = tmp_path / "new.csv"
    new.write_text("x,z,word,model\n5,0.5,a,470\n5,0.5,a,870\n")
    one, two = (row["y"]["median"] for row in predict_table(tmp_path / "m", new)["rows"])
    assert one == pytest.approx(475.0, abs=0.1)
    assert two - one == pytest.approx(400.0)


def test_bad_input(table, tmp_path):
    with pytest.raises(InputError, match="no column 'yy'"):
        learn(table, ["yy"], ["x"], tmp_path / "m")
    table.write_text(table.read_text().replace("3,0.5,a,", "oops,0.5,a,470"))
    with pytest.raises(InputError, match=r"line 42: 'oops' in column 'x'"):
        learn(table, ["y"], ["x"], tmp_path / "m")
    table.write_text("x,x,y\n1,2,3\n")
    with pytest.raises(InputError, match="occurs 2 times"):
        learn(table, ["y"], ["x"], tmp_path / "m")

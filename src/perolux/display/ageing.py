"""Ageing of a film or pixel: accelerated tests fitted together, lifetimes in use with intervals.

Every test at (T, RH, E) has brightness

    L(t)/L(0) = (1 + c (1 - exp(-t/t_b))) exp(-(t/tau)^beta)
    tau = tau_0 exp[ (E_a/k_B)(1/T - 1/T_0) ] (RH/RH_0)^-n (E/E_0)^-m

(Arrhenius, Peck, flux; T in K). Only what the tests vary is fitted: E_a needs two temperatures, n two
humidities, m two fluxes. What they do not vary must be given, or the answer stays at the tests' condition:
nothing is known in general of lead halide perovskites, and nothing is invented here.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, NotAvailableError, OptionError, Problem
from perolux.files import read_small_text
from perolux.fitting.least_squares import FitResult, least_squares
from perolux.quantities.constants import BOLTZMANN_EV_PER_K

__all__ = [
    "AgeingFit",
    "AgeingTest",
    "Condition",
    "LifetimeInUse",
    "acceleration",
    "fit_ageing",
    "lifetime_in_use",
    "read_ageing",
]

FloatArray = npt.NDArray[np.float64]
_ZERO_C_IN_K = 273.15
_LARGEST_FILE = 10_000_000
_STRESSES = {"temperature_c": "activation_ev", "humidity_percent": "peck_n", "flux": "flux_m"}


@dataclass(frozen=True)
class Condition:
    """temperature_c; humidity_percent and flux (any unit, the same for all tests) where they are known."""

    temperature_c: float
    humidity_percent: float | None = None
    flux: float | None = None

    def __post_init__(self) -> None:
        if not -100.0 < self.temperature_c < 300.0:
            raise OptionError(f"{self.temperature_c:g} degC", allowed="-100 to 300 degC")
        if self.humidity_percent is not None and not 0.0 < self.humidity_percent <= 100.0:
            raise OptionError(f"a humidity of {self.humidity_percent:g} %", allowed="above 0, to 100 %")
        if self.flux is not None and not self.flux > 0.0:
            raise OptionError(f"a flux of {self.flux:g}", allowed="above 0")


@dataclass(frozen=True)
class AgeingTest:
    """One test: hours (k,) and brightness (k,) in any unit, at one condition."""

    name: str
    condition: Condition
    hours: FloatArray
    brightness: FloatArray


@dataclass(frozen=True)
class AgeingFit:
    """fit: over ln tau_0, beta, what of activation_ev, peck_n, flux_m is fitted, the brightening (c, ln t_b)
    where it is asked for, and ln L(0) of each test. reference: where tau_0 holds. given: constants taken."""

    tests: tuple[AgeingTest, ...]
    reference: Condition
    fit: FitResult
    given: Mapping[str, float]
    brightening: bool
    warnings: tuple[str, ...]
    names: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class LifetimeInUse:
    """share: of the first brightness. hours with a 95 % interval. acceleration: of each test against use.
    extrapolated: why the number lies beyond the tests, empty where it does not."""

    share: float
    hours: float
    low: float
    high: float
    acceleration: Mapping[str, float]
    extrapolated: tuple[str, ...]


def acceleration(
    test: Condition,
    use: Condition,
    *,
    activation_ev: float = 0.0,
    peck_n: float = 0.0,
    flux_m: float = 0.0,
) -> float:
    """AF = exp[(E_a/k_B)(1/T_use - 1/T_test)] (RH_test/RH_use)^n (E_test/E_use)^m.

    >>> round(acceleration(Condition(60, 90), Condition(40, 50), activation_ev=0.79, peck_n=2.7), 2)
    28.35
    """
    kelvin = [one.temperature_c + _ZERO_C_IN_K for one in (test, use)]
    total = activation_ev / BOLTZMANN_EV_PER_K * (1.0 / kelvin[1] - 1.0 / kelvin[0])
    for power, name in ((peck_n, "humidity_percent"), (flux_m, "flux")):
        if power == 0.0:
            continue
        values = (getattr(test, name), getattr(use, name))
        if None in values:
            raise OptionError(f"{name} is not known of the test or of the use", fix=f"give {name} of both")
        total += power * math.log(values[0] / values[1])
    return math.exp(total)


def read_ageing(path: Path) -> tuple[AgeingTest, ...]:
    """Tests from a table (CSV): time_h, brightness, temperature_c and, where known, humidity_percent, flux,
    test (a name). Rows of one condition and name are one test. `InputError` with all faulty lines.
    """
    rows = csv.DictReader(read_small_text(path, _LARGEST_FILE, "table of ageing tests").splitlines())
    missing = [n for n in ("time_h", "brightness", "temperature_c") if n not in (rows.fieldnames or ())]
    if missing:
        raise InputError(
            f"no column {', '.join(missing)}",
            where=str(path),
            allowed="time_h, brightness, temperature_c, and where known humidity_percent, flux, test",
        )
    problems: list[Problem] = []
    groups: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    for line, row in enumerate(rows, start=2):
        try:
            numbers = {
                name: float(row[name])
                for name in ("time_h", "brightness", *_STRESSES)
                if row.get(name) not in (None, "")
            }
            if not (numbers["time_h"] >= 0.0 and numbers["brightness"] > 0.0):
                raise ValueError
            if not all(math.isfinite(value) for value in numbers.values()):
                raise ValueError
        except (ValueError, KeyError):
            problems.append(
                Problem(
                    "no test: a time, a brightness or a stress is no number or below what can be",
                    f"{path}, line {line}",
                    "time_h from 0, brightness above 0, numbers",
                    "mend or leave out the line",
                )
            )
            continue
        key = (row.get("test") or "", *(numbers.get(name) for name in _STRESSES))
        groups.setdefault(key, []).append((numbers["time_h"], numbers["brightness"]))
    if problems:
        raise InputError(problems[:20])
    if not groups:
        raise InputError("no tests", where=str(path), allowed="a header and at least five rows of a test")
    tests = []
    for (name, *stress), points in groups.items():
        hours, brightness = np.array(sorted(points)).T
        try:
            condition = Condition(*stress)
        except OptionError as error:
            one = error.problems[0]
            raise InputError(
                one.what, where=str(path), allowed=one.allowed, fix="check the columns"
            ) from None
        shown = ", ".join(
            f"{v:g} {u}" for v, u in zip(stress, ("degC", "% RH", "flux"), strict=True) if v is not None
        )
        tests.append(AgeingTest(name or shown, condition, hours, brightness))
    return tuple(tests)


def fit_ageing(
    tests: Sequence[AgeingTest],
    *,
    given: Mapping[str, float] | None = None,
    brightening: bool = False,
) -> AgeingFit:
    """Fit all tests together; the size of the noise is taken from the misfit (relative errors).

    given: constants that the tests do not tell, of activation_ev, peck_n, flux_m. brightening: with the
    brightening under light. Raises `InputError` for too few points, `OptionError` for a constant both given
    and fitted.
    """
    known = dict(given or {})
    for name in known:
        if name not in _STRESSES.values():
            raise OptionError(f"no constant is called {name!r}", allowed=", ".join(_STRESSES.values()))
    points = sum(len(one.hours) for one in tests)
    free = [constant for stress, constant in _STRESSES.items() if _varies(tests, stress)]
    twice = [name for name in free if name in known]
    if twice:
        raise OptionError(
            f"{', '.join(twice)} given, and told by the tests", fix="leave it out, or leave the tests out"
        )
    names = ["ln_tau", "beta", *free, *(["brightening", "ln_tau_b"] if brightening else [])]
    if not tests or points < len(names) + len(tests) + 2:
        raise InputError(
            f"{points} points of {len(tests)} tests",
            allowed=f"at least {len(names) + len(tests) + 2} for {len(names)} constants",
        )
    reference = _middle(tests)
    longest = max(float(one.hours[-1]) for one in tests)

    def residual(p: FloatArray) -> FloatArray:
        of = dict(zip(names, p, strict=False))
        parts = []
        for k, one in enumerate(tests):
            tau = _tau(of, known, one.condition, reference)
            model = p[len(names) + k] + _log_brightness(one.hours, tau, of)
            parts.append(np.log(one.brightness) - model)
        return np.concatenate(parts)

    low = [-np.inf, 0.1, *(-np.inf for _ in free), *([0.0, math.log(1e-5 * longest)] if brightening else [])]
    high = [np.inf, 5.0, *(np.inf for _ in free), *([5.0, math.log(10.0 * longest)] if brightening else [])]

    def fit_from(brightening_over_longest: float) -> FitResult:
        start = [math.log(2.0 * longest), 0.8, *(_START[name] for name in free)]
        start += [0.1, math.log(brightening_over_longest * longest)] if brightening else []
        return least_squares(
            residual,
            [*start, *(math.log(float(one.brightness[0])) for one in tests)],
            names=[*names, *(f"ln_first_{k}" for k in range(len(tests)))],
            low=[*low, *(-np.inf for _ in tests)],
            high=[*high, *(np.inf for _ in tests)],
            scale=[
                1.0,
                0.3,
                *(1.0 for _ in free),
                *([0.1, 1.0] if brightening else []),
                *(0.05 for _ in tests),
            ],
            absolute_sigma=False,
        )

    # the brightening has several valleys: one start a decade
    fit = min((fit_from(share) for share in (_TIMES if brightening else (1.0,))), key=lambda one: one.chi2)
    warnings = list(fit.warnings)
    least = min(float(np.min(one.brightness / one.brightness[0])) for one in tests)
    if least > 0.9:
        warnings.append(f"no test fell below {100 * least:.0f} % of its first brightness")
    return AgeingFit(tuple(tests), reference, fit, known, brightening, tuple(warnings), tuple(names))


_TIMES = (0.001, 0.01, 0.03, 0.1)
_START = {"activation_ev": 0.5, "peck_n": 1.0, "flux_m": 1.0}


def lifetime_in_use(found: AgeingFit, use: Condition, share: float) -> LifetimeInUse:
    """Hours until the brightness has fallen to `share` of the first in use, with a 95 % interval.

    The interval is that of ln T from the covariance of the fit (Student's t). Raises `NotAvailableError`
    where a constant that leads from the tests to the use is neither told by them nor given.
    """
    if not 0.0 < share < 1.0:
        raise OptionError(f"a share of {share:g}", allowed="between 0 and 1, for example 0.9")
    k = len(found.names)
    _require_constants(found, use)
    covariance = found.fit.covariance
    if covariance is None:
        raise NotAvailableError("the tests do not determine the constants", fix="longer or more tests")

    def log_hours(p: FloatArray) -> float:
        of = dict(zip(found.names, p, strict=True))
        tau = _tau(of, found.given, use, found.reference)
        return math.log(_crossing(lambda t: float(_log_brightness(np.array([t]), tau, of)[0]), tau, share))

    best = found.fit.values[:k]
    middle = log_hours(best)
    steps = 1e-4 * np.maximum(np.sqrt(np.maximum(np.diag(covariance)[:k], 0.0)), 1e-8)
    slope = np.array(
        [
            (log_hours(best + h * unit) - log_hours(best - h * unit)) / (2.0 * h)
            for h, unit in zip(steps, np.eye(k), strict=True)
        ]
    )
    sigma = math.sqrt(float(slope @ covariance[:k, :k] @ slope))
    from scipy.stats import t as student

    half = float(student.ppf(0.975, found.fit.degrees_of_freedom)) * sigma
    hours = math.exp(middle)
    of = dict(zip(found.names, best, strict=True))
    constants = {name: float(of.get(name, found.given.get(name, 0.0))) for name in _STRESSES.values()}
    factors = {
        one.name: acceleration(one.condition, use, **_only_known(constants, one.condition, use))
        for one in found.tests
    }
    return LifetimeInUse(
        share,
        hours,
        hours * math.exp(-half),
        hours * math.exp(half),
        factors,
        _beyond(found, use, hours, factors),
    )


def _only_known(constants: Mapping[str, float], test: Condition, use: Condition) -> dict[str, float]:
    """The constants of stresses that are known of both."""
    return {
        constant: constants[constant]
        for stress, constant in _STRESSES.items()
        if getattr(test, stress) is not None and getattr(use, stress) is not None
    }


def _require_constants(found: AgeingFit, use: Condition) -> None:
    for stress, constant in _STRESSES.items():
        there, here = getattr(found.reference, stress), getattr(use, stress)
        if there is None or here is None or there == here:
            continue
        if constant not in found.names and constant not in found.given:
            raise NotAvailableError(
                f"the tests, all at {stress} {there:g}, do not tell what {stress} {here:g} does",
                fix=f"tests at two values of {stress}, or give {constant}: none is assumed",
            )


def _beyond(found: AgeingFit, use: Condition, hours: float, factors: Mapping[str, float]) -> tuple[str, ...]:
    reasons = []
    longest = max(float(one.hours[-1]) * factors[one.name] for one in found.tests)
    if hours > longest:
        reasons.append(f"{hours:.3g} h lie beyond the tests, which reach {longest:.3g} h in terms of the use")
    for stress in _STRESSES:
        values = [v for one in found.tests if (v := getattr(one.condition, stress)) is not None]
        here = getattr(use, stress)
        if values and here is not None and not min(values) <= here <= max(values):
            reasons.append(f"{stress} {here:g} lies outside the tests, {min(values):g} to {max(values):g}")
    if found.given:
        reasons.append("rests on " + ", ".join(f"{k} = {v:g}" for k, v in found.given.items()) + ", given")
    return tuple(reasons)


def _varies(tests: Sequence[AgeingTest], stress: str) -> bool:
    values = [getattr(one.condition, stress) for one in tests]
    return None not in values and len(set(values)) > 1


def _middle(tests: Sequence[AgeingTest]) -> Condition:
    """Mean temperature, geometric means of humidity and flux; None where a test does not say it."""
    temperature = float(np.mean([one.condition.temperature_c for one in tests]))
    others = []
    for stress in ("humidity_percent", "flux"):
        values = [getattr(one.condition, stress) for one in tests]
        same = len(set(values)) == 1
        others.append(
            None if None in values else values[0] if same else float(np.exp(np.mean(np.log(values))))
        )
    return Condition(temperature, *others)


def _tau(of: Mapping[str, float], given: Mapping[str, float], at: Condition, reference: Condition) -> float:
    constants = {name: float(of.get(name, given.get(name, 0.0))) for name in _STRESSES.values()}
    factor = acceleration(at, reference, **_only_known(constants, at, reference))
    return math.exp(of["ln_tau"]) / factor


def _log_brightness(hours: FloatArray, tau: float, of: Mapping[str, float]) -> FloatArray:
    with np.errstate(over="ignore"):  # a search may try any constants
        faded = -((hours / tau) ** of["beta"])
    if "brightening" in of:
        faded = faded + np.log1p(of["brightening"] * -np.expm1(-hours / math.exp(of["ln_tau_b"])))
    return np.asarray(faded)


def _crossing(log_brightness: Callable[[float], float], tau: float, share: float) -> float:
    """The last time at which ln L crosses ln share: found from late times down."""
    from scipy.optimize import brentq

    wanted = math.log(share)
    late = tau
    while log_brightness(late) > wanted:
        late *= 2.0
    grid = late * np.geomspace(1.0, 1e-9, 400)
    for high, low in pairwise(grid):
        if log_brightness(low) > wanted:
            return float(brentq(lambda t: log_brightness(t) - wanted, low, high, xtol=1e-12 * high))
    raise NotAvailableError(f"the brightness is below {100 * share:g} % from the first moment on")

"""Compiled loops of the engine of mixed halides (`mixed_growth.py` says what they solve; SI units).

A cohort is a number of crystals spread evenly between two sizes, with one halide fraction and its variance.
Sizes are half edges at the lattice constant of the first halide, y = r a_1/a(x): exchange, which keeps
formula units, leaves y alone. Within a step sizes are carried as exp(-l/y), as in `_cohort_kernels.py`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from perolux.quantities.constants import AVOGADRO_PER_MOL, constant
from perolux.synthesis._cohort_kernels import conditions_at
from perolux.synthesis._mixed_merging import (
    FRACTION,
    HIGH,
    LOW,
    NUMBER,
    SPREAD,
    mean_cube,
    merge,
    refine,
    trim,
)
from perolux.synthesis.laws import LEAST_SUPERSATURATION

# columns of the table of conditions; `mixed_growth.py` fills it. 1 and 2: the halides
T, DIFF, VOLUME, CATION, LEAD, X1, X2, CS1, CS2, KR1, KR2, G1, G2, LNA1, LNA2, KX = range(16)
# parameters of the law
LEAST, A1, A2, BARRIER, ORDER, W, AS_DISSOLVED, GAP = range(8)
# columns of the report at each time; two columns from NUCLEI, GONE, SATURATION and RATE on
(
    D_CATION, D_LEAD, D_X1, D_X2, MONOMER, POOL, SATURATION, _S2, RATE, _R2, NUCLEI, _N2, GONE, _L2, REJECTED,
) = range(15)  # fmt: skip
REPORT = 15
DONE, TOO_MANY_STEPS, STEP_TOO_SMALL = range(3)

_BOLTZMANN = constant("boltzmann_j_per_k")
_AVOGADRO = AVOGADRO_PER_MOL
_LEAST_S = LEAST_SUPERSATURATION
_LN_FEWEST = -60.0
_LARGEST_U = 1.0 - 1e-12
_REFINE = 0.1
_BEND = 1.0
_FEWEST_PER_M3 = 1.0
_LARGEST_MOVE = 0.02
"""Change of a halide fraction in one step at a tolerance of 1e-4; it falls with the cube root."""
_SHARE = 1e-3
"""Crystals that hold less of the halide than this share do not limit the step by their fraction."""
_SUBSTEP = 0.02
"""Substep of exchange with activities, times the rate constant."""


@njit(cache=True, error_model="numpy")
def lattice(p, x):
    """Lattice constant at a fraction over that of the first halide (Vegard)."""
    return 1.0 + x * (p[A2] / p[A1] - 1.0)


@njit(cache=True, error_model="numpy")
def _between(x, first, second):
    """First to the power 1 - x times second to the power x; 0^0 counts as 1."""
    found = 1.0
    if x < 1.0:
        found *= max(first, 0.0) ** (1.0 - x)
    if x > 0.0:
        found *= max(second, 0.0) ** x
    return found


@njit(cache=True, error_model="numpy")
def solid(p, env, x, c1, c2, out):
    """Of crystals of a fraction x. out: monomer, solubility, capillary length of y, k_r, y per r, v_m N_A."""
    stretch = lattice(p, x)
    mixing = 0.0
    if 0.0 < x < 1.0:
        mixing = x * math.log(x) + (1.0 - x) * math.log(1.0 - x) + p[W] * x * (1.0 - x)
    out[0] = _between(x, c1, c2)
    out[1] = _between(x, env[CS1], env[CS2]) * math.exp(p[ORDER] * mixing)
    volume = (p[A1] * stretch) ** 3
    gamma = (1.0 - x) * env[G1] + x * env[G2]
    out[2] = 2.0 * gamma * volume / (_BOLTZMANN * env[T]) / stretch
    out[3] = _between(x, env[KR1], env[KR2])
    out[4] = stretch
    out[5] = volume * _AVOGADRO


@njit(cache=True, error_model="numpy")
def dissolved(p, env, held1, held2, out):
    """A, Pb and halides in solution (mol/m^3), monomer, its fraction, c_1, c_2; held: formula units."""
    held = held1 + held2
    out[0] = (env[CATION] - held) / env[VOLUME]
    out[1] = (env[LEAD] - held) / env[VOLUME]
    out[2] = (env[X1] - 3.0 * held1) / env[VOLUME]
    out[3] = (env[X2] - 3.0 * held2) / env[VOLUME]
    halide = out[2] + out[3]
    monomer = max(min(out[0], out[1], halide / 3.0), 0.0)
    pool = min(max(out[3] / halide, 0.0), 1.0) if halide > 0.0 else 0.0
    out[4], out[5] = monomer, pool
    out[6] = monomer * (1.0 - pool) ** p[ORDER]
    out[7] = monomer * pool ** p[ORDER]


@njit(cache=True, error_model="numpy")
def nucleation(p, env, family, pool, c1, c2, s):
    """(nuclei per s, size of entry as y, fraction, supersaturation) of a family of nuclei."""
    x = pool if p[AS_DISSOLVED] > 0.0 else float(family)
    solid(p, env, x, c1, c2, s)
    ratio = s[0] / s[1]
    if ratio <= _LEAST_S:
        return 0.0, 0.0, x, ratio
    log, heat = math.log(ratio), _BOLTZMANN * env[T]
    gamma = (1.0 - x) * env[G1] + x * env[G2]
    volume = s[5] / _AVOGADRO
    ln_a = (1.0 - x) * env[LNA1] + x * env[LNA2]
    ln_rate = ln_a - p[BARRIER] * gamma**3 * volume**2 / (heat**3 * log * log)
    if ln_rate <= _LN_FEWEST:
        return 0.0, 0.0, x, ratio
    entry = s[2] / log + 0.5 * math.sqrt(heat / (math.pi * gamma)) / s[4]
    return math.exp(min(ln_rate, 300.0)) * env[VOLUME], max(entry, p[LEAST]), x, ratio


@njit(cache=True, error_model="numpy")
def rates(p, env, scale, y, u, c, n, born, birth_x, slope, out, sol, s):
    """Right-hand side: du/dt of the edges, and for each family out[k] = dM0, dM1, dQ, entry, S."""
    per = 8.0 / (p[A1] ** 3 * _AVOGADRO)
    held1, held2, least = 0.0, 0.0, p[LEAST]
    for i in range(n):
        a, b = y[0, i], y[1, i]
        amount = 0.0
        if a >= least:
            amount = c[NUMBER, i] * mean_cube(a, b)
        elif b > least:
            amount = c[NUMBER, i] * (b - least) / (b - a) * mean_cube(least, b)
        held1 += amount * (1.0 - c[FRACTION, i])
        held2 += amount * c[FRACTION, i]
    for k in range(born.shape[0]):
        if born[k, 0] > 0.0:
            centre = born[k, 1] / born[k, 0]
            amount = born[k, 0] * centre**3 + 3.0 * centre * max(born[k, 2], 0.0)
            held1 += amount * (1.0 - birth_x[k])
            held2 += amount * birth_x[k]
    dissolved(p, env, per * held1, per * held2, sol)
    c1, c2 = sol[6], sol[7]
    for i in range(n):
        solid(p, env, c[FRACTION, i], c1, c2, s)
        for side in range(2):
            w = min(max(u[side, i], math.exp(-scale / least)), _LARGEST_U)
            size = -scale / math.log(w)
            e = math.exp(s[2] / size)
            speed = s[5] * (s[0] - s[1] * e) / (size * s[4] / env[DIFF] + 1.0 / s[3]) / s[4]
            slope[side, i] = w * scale / (size * size) * speed
    for k in range(born.shape[0]):
        rate, entry, _, ratio = nucleation(p, env, k, sol[5], c1, c2, s)
        m0 = born[k, 0]
        g, dg = 0.0, 0.0
        centre = born[k, 1] / m0 if m0 > 0.0 else entry
        if m0 > 0.0 or rate > 0.0:
            at = max(centre, least)
            if p[AS_DISSOLVED] > 0.0:
                solid(p, env, birth_x[k], c1, c2, s)
            e = s[1] * math.exp(s[2] / at)
            resistance = 1.0 / (at * s[4] / env[DIFF] + 1.0 / s[3])
            g = s[5] * (s[0] - e) * resistance / s[4]
            dg = (s[5] * e * s[2] / (at * at) / s[4] - g * s[4] / env[DIFF]) * resistance
        out[k, 0] = rate
        out[k, 1] = rate * entry + m0 * g
        out[k, 2] = rate * (entry - centre) ** 2 + 2.0 * max(born[k, 2], 0.0) * dg
        out[k, 3], out[k, 4] = entry, ratio


@njit(cache=True, error_model="numpy")
def exchange(p, env, c, n, span, rate, sol, amount):
    """Exchange of halide for a time: mean field in closed form, or activities by the midpoint rule."""
    per = 3.0 * 8.0 / (p[A1] ** 3 * _AVOGADRO)
    total, first, second = 0.0, 0.0, 0.0
    for i in range(n):
        amount[i] = per * c[NUMBER, i] * mean_cube(c[LOW, i], c[HIGH, i])
        total += amount[i]
        second += amount[i] * c[FRACTION, i]
        first += amount[i] * (1.0 - c[FRACTION, i])
    if total <= 0.0 or rate <= 0.0 or span <= 0.0:
        return
    pool = max(env[X1] - first, 0.0) + max(env[X2] - second, 0.0)
    p2 = max(env[X2] - second, 0.0) / pool if pool > 0.0 else 0.0
    if p[GAP] <= 0.0:
        start = second / total
        relaxed = math.exp(-rate * span)
        if pool > 0.0:
            s = pool / total
            difference = (p2 - start) * math.exp(-rate * span * (1.0 + 1.0 / s))
            # x_i = c + (x_i0 - c0) exp(-kt), c = X - s/(1 + s) d
            centre = (start + s * p2) / (1.0 + s) - s / (1.0 + s) * difference
        else:
            centre = start
        for i in range(n):
            x = centre + (c[FRACTION, i] - start) * relaxed
            c[FRACTION, i] = min(max(x, 0.0), 1.0)
            c[SPREAD, i] *= relaxed * relaxed
        return
    steps = max(math.ceil(rate * span / _SUBSTEP), 1)
    h = rate * span / steps
    middle = np.empty(n)
    for _ in range(steps):
        half = _pool_after(c[FRACTION], c[FRACTION], amount, n, p[W], pool, p2, 0.5 * h)
        for i in range(n):
            x = c[FRACTION, i]
            a1, a2 = _activities(x, p[W])
            middle[i] = min(max(x + 0.5 * h * (half * (a1 + a2) - a2), 0.0), 1.0)
        mean = _pool_after(c[FRACTION], middle, amount, n, p[W], pool, p2, h)
        moved = 0.0
        for i in range(n):
            a1, a2 = _activities(middle[i], p[W])
            x = min(max(c[FRACTION, i] + h * (mean * (a1 + a2) - a2), 0.0), 1.0)
            # linear in the distance from the mean of the cohort
            e = 1e-6
            b1, b2 = _activities(min(x + e, 1.0), p[W])
            d1, d2 = _activities(max(x - e, 0.0), p[W])
            bend = (mean * (b1 + b2) - b2 - mean * (d1 + d2) + d2) / (min(x + e, 1.0) - max(x - e, 0.0))
            c[SPREAD, i] = min(c[SPREAD, i] * math.exp(2.0 * h * bend), x * (1.0 - x))
            moved += amount[i] * (x - c[FRACTION, i])
            c[FRACTION, i] = x
        if pool > 0.0:
            p2 = min(max(p2 - moved / pool, 0.0), 1.0)


@njit(cache=True, error_model="numpy")
def _activities(x, w):
    return (1.0 - x) * math.exp(w * x * x), x * math.exp(w * (1.0 - x) ** 2)


@njit(cache=True, error_model="numpy")
def _pool_after(start, at, amount, n, w, pool, p2, h):
    """Mean fraction of the pool over a step: Crank-Nicolson in the pool, the crystals as they are at `at`."""
    gives, takes = 0.0, 0.0
    for i in range(n):
        a1, a2 = _activities(at[i], w)
        gives += amount[i] * a2
        takes += amount[i] * (a1 + a2)
    after = (pool * p2 + h * (gives - 0.5 * takes * p2)) / (pool + 0.5 * h * takes)
    return 0.5 * (p2 + after)


@njit(cache=True, error_model="numpy")
def _sizes(u, n, scale, y):
    for side in range(2):
        for i in range(n):
            value = u[side, i]
            y[side, i] = -scale / math.log(min(value, _LARGEST_U)) if value > 1e-300 else 0.0


@njit(cache=True, error_model="numpy")
def _stage(
    p, knots, table, first, last, time, dt, a1, a2, a3, u, k1, k2, k3, o1, o2, o3, w, y, scale, c, n, born,
    birth_x, env, k_out, o_out, sol, s,
):  # fmt: skip
    """Rates at `time` and u + dt (a1 k1 + a2 k2 + a3 k3): one stage of a Runge-Kutta step."""
    for side in range(2):
        for i in range(n):
            slope = a1 * k1[side, i] if a1 > 0.0 else 0.0
            if a2 > 0.0:
                slope += a2 * k2[side, i]
            if a3 > 0.0:
                slope += a3 * k3[side, i]
            w[side, i] = u[side, i] + dt * slope
    _sizes(w, n, scale, y)
    for k in range(born.shape[0]):
        for q in range(3):
            born[k, q] = dt * (a1 * o1[k, q] + a2 * o2[k, q] + a3 * o3[k, q])
    conditions_at(knots, table, first, last, time, env)
    rates(p, env, scale, y, w, c, n, born, birth_x, k_out, o_out, sol, s)


@njit(cache=True, error_model="numpy")
def solution(p, env, c, n, sol):
    """What is dissolved beside the cohorts as they are."""
    per, held1, held2 = 8.0 / (p[A1] ** 3 * _AVOGADRO), 0.0, 0.0
    for i in range(n):
        units = per * c[NUMBER, i] * mean_cube(c[LOW, i], c[HIGH, i])
        held1 += units * (1.0 - c[FRACTION, i])
        held2 += units * c[FRACTION, i]
    dissolved(p, env, held1, held2, sol)


@njit(cache=True, error_model="numpy")
def _longest(p, env, c, n, sol, amount, tolerance):
    """Longest step in which the fractions of all crystals that count move little."""
    total, rate = 0.0, env[KX]
    if rate <= 0.0:
        return np.inf
    for i in range(n):
        amount[i] = c[NUMBER, i] * mean_cube(c[LOW, i], c[HIGH, i])
        total += amount[i]
    if total <= 0.0:
        return np.inf
    solution(p, env, c, n, sol)
    furthest = 0.0
    for i in range(n):
        if amount[i] > _SHARE * total:
            furthest = max(furthest, abs(sol[5] - c[FRACTION, i]))
    if furthest <= 0.0:
        return np.inf
    return _LARGEST_MOVE * (tolerance / 1e-4) ** (1.0 / 3.0) / (rate * furthest)


@njit(cache=True, error_model="numpy", nogil=True)
def run(
    p, knots, table, sections, c, family, n, families, start, times, tolerance, fixed_step, most, most_steps,
    out, kept, kept_family, count,
):  # fmt: skip
    """Integrate from `start` through `times`; returns (state, steps, time reached).

    Strang's splitting: half of the exchange, growth by Bogacki and Shampine 3(2), half of the exchange.
    """
    cap = c.shape[1]
    u, w, y = np.empty((2, cap)), np.empty((2, cap)), np.empty((2, cap))
    k1, k2, k3, k4 = np.empty((2, cap)), np.empty((2, cap)), np.empty((2, cap)), np.empty((2, cap))
    o1, o2, o3, o4 = (
        np.zeros((families, 5)), np.zeros((families, 5)), np.zeros((families, 5)), np.zeros((families, 5)),
    )  # fmt: skip
    env, sol, s, amount = np.empty(table.shape[1]), np.empty(8), np.empty(6), np.empty(cap)
    held_x, held_v = np.empty(cap), np.empty(cap)
    born, birth_x = np.zeros((families, 3)), np.arange(families) * 1.0
    nuclei, gone, youngest = np.zeros(2), np.zeros(2), np.full(families, -1)
    least = p[LEAST]
    time, step, steps, rejected, section = start, 0.0, 0, 0, 0
    for index in range(times.shape[0]):
        while time < times[index]:
            while section < sections.shape[0] - 1 and knots[sections[section, 1]] <= time:
                section += 1
            first, last = sections[section, 0], sections[section, 1]
            end = times[index]
            if section < sections.shape[0] - 1:
                end = min(end, knots[last])
            conditions_at(knots, table, first, last, time, env)
            scale = 2.0 * max(env[G1], env[G2]) * max(p[A1], p[A2]) ** 3 / (_BOLTZMANN * env[T])
            if step <= 0.0:
                step = 1e-4 * (end - time)
            dt = fixed_step if fixed_step > 0.0 else min(step, _longest(p, env, c, n, sol, amount, tolerance))
            if end - time <= dt * (1.0 + 1e-9):
                dt = end - time
            for i in range(n):
                held_x[i], held_v[i] = c[FRACTION, i], c[SPREAD, i]
            conditions_at(knots, table, first, last, time + 0.5 * dt, env)
            exchange(p, env, c, n, 0.5 * dt, env[KX], sol, amount)
            if p[AS_DISSOLVED] > 0.0:
                # nuclei of the whole step take the composition of its middle
                solution(p, env, c, n, sol)
            birth_x[0] = sol[5] if p[AS_DISSOLVED] > 0.0 else 0.0
            conditions_at(knots, table, first, last, time, env)
            born[:] = 0.0
            for i in range(n):
                for side in range(2):
                    y[side, i] = c[HIGH, i] if side else c[LOW, i]
                    u[side, i] = math.exp(-scale / y[side, i])
            rates(p, env, scale, y, u, c, n, born, birth_x, k1, o1, sol, s)
            _stage(
                p, knots, table, first, last, time + 0.5 * dt, dt, 0.5, 0.0, 0.0, u, k1, k2, k3, o1, o2, o3,
                w, y, scale, c, n, born, birth_x, env, k2, o2, sol, s,
            )  # fmt: skip
            _stage(
                p, knots, table, first, last, time + 0.75 * dt, dt, 0.0, 0.75, 0.0, u, k1, k2, k3, o1, o2, o3,
                w, y, scale, c, n, born, birth_x, env, k3, o3, sol, s,
            )  # fmt: skip
            _stage(
                p, knots, table, first, last, time + dt, dt, 2.0 / 9.0, 3.0 / 9.0, 4.0 / 9.0, u, k1, k2, k3,
                o1, o2, o3, w, y, scale, c, n, born, birth_x, env, k4, o4, sol, s,
            )  # fmt: skip
            steps += 1
            if steps > most_steps:
                return TOO_MANY_STEPS, steps, time
            total, weighted, missing, mean = 0.0, 0.0, 0.0, 0.0
            for k in range(families):
                total += born[k, 0]
            for i in range(n):
                total += c[NUMBER, i]
                mean += c[NUMBER, i] * y[1, i]
            smallest = 0.2 * mean / total if total > 0.0 else 0.0
            for i in range(n):
                for side in range(2):
                    size = y[side, i]
                    if size > least:
                        slope = (
                            -5.0 / 72.0 * k1[side, i] + k2[side, i] / 12.0 + k3[side, i] / 9.0
                            - 0.125 * k4[side, i]
                        )  # fmt: skip
                        error = dt * slope * size * size / (scale * math.exp(-scale / size))
                        weighted += 0.5 * c[NUMBER, i] * (error / max(size, smallest)) ** 2
                        missing += 1.5 * c[NUMBER, i] * size * size * error
            total = max(total, _FEWEST_PER_M3)
            norm = math.sqrt(weighted / total)
            for k in range(families):
                if born[k, 0] > 0.0:
                    e0 = dt * (-5.0 / 72.0 * o1[k, 0] + o2[k, 0] / 12.0 + o3[k, 0] / 9.0 - 0.125 * o4[k, 0])
                    e1 = dt * (-5.0 / 72.0 * o1[k, 1] + o2[k, 1] / 12.0 + o3[k, 1] / 9.0 - 0.125 * o4[k, 1])
                    centre = born[k, 1] / born[k, 0]
                    norm = max(norm, abs(e0) / total)
                    if centre > 0.0:
                        norm = max(norm, abs(e1) / (total * centre))
                    if born[k, 0] > 0.01 * tolerance * total:
                        change = abs(o4[k, 0] - o1[k, 0]) / (o4[k, 0] + o1[k, 0])
                        norm = max(norm, tolerance * (change / (_BEND * tolerance**0.25)) ** 3)
            per = 8.0 / (p[A1] ** 3 * _AVOGADRO)
            if sol[4] > 0.0:
                supply = min(env[CATION], env[LEAD], (env[X1] + env[X2]) / 3.0) / env[VOLUME]
                norm = max(norm, abs(per * missing) / (env[VOLUME] * max(sol[4], 1e-3 * supply)))
            for q in range(4):
                if sol[q] < -1e-12 * (env[LEAD] + env[X1] + env[X2]) / env[VOLUME]:
                    norm = 1e6 * tolerance  # more grew than was there
            if not math.isfinite(norm):
                norm = 1e6 * tolerance
            ratio = norm / tolerance
            if fixed_step <= 0.0 and ratio > 1.0:
                rejected += 1
                step = dt * max(0.2, 0.9 * ratio ** (-1.0 / 3.0))
                for i in range(n):
                    c[FRACTION, i], c[SPREAD, i] = held_x[i], held_v[i]
                if time + step == time or step < 1e-300:
                    return STEP_TOO_SMALL, steps, time
                continue
            grown = dt * (5.0 if ratio <= 0.0 else min(5.0, 0.9 * ratio ** (-1.0 / 3.0)))
            step = max(step, grown) if dt < step else grown
            began = time
            time = end if dt == end - time else time + dt
            for i in range(n):
                c[LOW, i], c[HIGH, i] = y[0, i], max(y[1, i], y[0, i])
            n = trim(c, family, n, least, youngest, gone)
            for k in range(families):
                if born[k, 0] <= 0.0:
                    youngest[k] = -1
                    continue
                nuclei[k] += born[k, 0]
                if born[k, 1] <= least * born[k, 0]:
                    # a trace of nuclei that had dissolved again by the end of the step
                    gone[k] += born[k, 0]
                    youngest[k] = -1
                    continue
                x = born[k, 1] / born[k, 0]
                h = max(min(math.sqrt(3.0 * max(born[k, 2] / born[k, 0], 0.0)), x - least), 1e-6 * x)
                c[LOW, n], c[HIGH, n], c[NUMBER, n] = x - h, x + h, born[k, 0]
                c[FRACTION, n], c[SPREAD, n], family[n] = birth_x[k], 0.0, k
                if youngest[k] >= 0 and o4[k, 3] > 0.0:
                    # neighbours touch: from where nuclei enter now to the last that entered before
                    c[LOW, n] = min(o4[k, 3], c[LOW, youngest[k]])
                    c[HIGH, n] = max(o4[k, 3], c[LOW, youngest[k]])
                youngest[k] = n
                n += 1
            conditions_at(knots, table, first, last, began + 0.5 * dt, env)
            rate = env[KX]
            # amounts of the end, the rate of the middle
            conditions_at(knots, table, first, last, time, env)
            exchange(p, env, c, n, 0.5 * dt, rate, sol, amount)
            if n >= most:
                n = merge(c, family, n, (6 * most) // 10, least)
                youngest[:] = -1
            else:
                n = refine(c, family, n, most, scale, _REFINE * tolerance)
        conditions_at(knots, table, sections[section, 0], sections[section, 1], time, env)
        solution(p, env, c, n, sol)
        for q in range(6):
            out[index, q] = sol[q]
        for k in range(families):
            rate, _, _, ratio = nucleation(p, env, k, sol[5], sol[6], sol[7], s)
            out[index, SATURATION + k], out[index, RATE + k] = ratio, rate
            out[index, NUCLEI + k], out[index, GONE + k] = nuclei[k], gone[k]
        out[index, REJECTED] = rejected
        kept[index, :, :n], kept_family[index, :n], count[index] = c[:, :n], family[:n], n
    return DONE, steps, time

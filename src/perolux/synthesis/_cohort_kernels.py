"""Compiled loops of the cohort engine (`cohorts.py` says what they solve; SI units throughout).

A cohort is a number of crystals per reference volume, spread evenly between two sizes that move along the
characteristics dr/dt = G(r), so that the number stays. What is born during a step becomes one more cohort,
carried by three moments: dM0 = J, dM1 = J r_n + M0 G(x), dQ = J (r_n - x)^2 + 2 Q G'(x), with x = M1/M0 and
the variance Q/M0.

Within a step the sizes are carried as u(r) in which they move almost evenly: exp(-l/r) where crystals
dissolve by Gibbs-Thomson, r^3 or r^2 where ripening is linearised, r itself elsewhere.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from perolux.quantities.constants import AVOGADRO_PER_MOL, constant
from perolux.synthesis._cohort_merging import merge, refine, trim
from perolux.synthesis._solution_kernels import ln_free, ln_product, ln_solubility_product, table_at
from perolux.synthesis.laws import LEAST_SUPERSATURATION

# columns of the table of conditions; `conditions.py` fills it
T, CS, KR, DIFF, GAMMA, LNA, BARRIER, VOLUME, SUPPLIED, COMPLEXANT, DISSOCIATION, WASHOUT, LIGAND = range(13)
# kinds of laws; `models.py` fills the parameters of each
CLASSICAL, POWER, PLAIN, RIPENING = range(4)
# columns of the report at each time
(
    NUMBER, MEAN, VARIANCE, SQUARE, CUBE, DISSOLVED, FREE, SUPERSATURATION, RATE, ENTRY, BOUND, REJECTED,
    NUCLEI, GONE, WAY_OUT, PEAK, UPTAKE,
) = range(17)  # fmt: skip
DONE, TOO_MANY_STEPS, STEP_TOO_SMALL = range(3)

_BOLTZMANN = constant("boltzmann_j_per_k")
_AVOGADRO = AVOGADRO_PER_MOL
_LEAST_S = LEAST_SUPERSATURATION
_LN_FEWEST = -60.0
_LARGEST_U = 1.0 - 1e-12
REFINE = 0.1
"""Cohorts are halved where (N/all)^TAIL (width/r)^2 max(1, l/r)^2 exceeds this times the tolerance."""
BEND = 1.0
"""Relative change of the nucleation rate in one step, at most this times the fourth root of the tolerance."""
FEWEST_PER_M3 = 1.0
"""Errors of numbers count against at least so many crystals."""
_FAST = {"contract", "reassoc", "nsz", "arcp"}


@njit(cache=True, error_model="numpy")
def conditions_at(knots, table, first, last, time, out):
    """Linear interpolation in the table between the knots first and last of one smooth stretch."""
    low, high = first, last
    while high - low > 1:
        mid = (low + high) // 2
        if knots[mid] <= time:
            low = mid
        else:
            high = mid
    width = knots[high] - knots[low]
    share = 0.0 if width <= 0.0 else min(max((time - knots[low]) / width, 0.0), 1.0)
    for k in range(table.shape[1]):
        out[k] = table[low, k] + share * (table[high, k] - table[low, k])


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def sum_r3(low, high, number, n, least):
    """Sum of N times the mean r^3 of the part of each cohort above the least radius."""
    total = 0.0
    for i in range(n):
        a, b = low[i], high[i]
        if a >= least:
            total += number[i] * (a + b) * (a * a + b * b)
        elif b > least:
            total += number[i] * (b - least) / (b - a) * (least + b) * (least * least + b * b)
    return 0.25 * total


@njit(cache=True, error_model="numpy")
def free_monomer(dissolved, complexant, dissociation):
    """Free monomer x of x^2 + (T0 + K) x - K d = 0; all of it where there is no complexant (K = 0)."""
    if dissociation <= 0.0:
        return dissolved
    b = complexant + dissociation
    return 2.0 * dissociation * dissolved / (b + math.sqrt(b * b + 4.0 * dissociation * dissolved))


@njit(cache=True, error_model="numpy")
def uncovered(binding, capacity, ligand):
    """Share of the surface without ligand: Langmuir, what the surface holds taken from the solution.

    binding: m^3/mol; capacity: ligands that the whole surface can hold, and ligand, both mol/m^3.
    """
    # free L of L + capacity K L/(1 + K L) = ligand
    b = 1.0 + binding * (capacity - ligand)
    free = 2.0 * ligand / (b + math.sqrt(b * b + 4.0 * binding * ligand))
    return 1.0 / (1.0 + binding * free)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _gibbs_thomson(u, n, scale, drive, cs, length, diff, kr, v, least, rate):
    """du/dt of edges of cohorts for u = exp(-scale/r)."""
    floor = math.exp(-scale / least)
    inverse_d, inverse_k = 1.0 / diff, 1.0 / kr
    same = length == scale
    for side in range(2):
        for i in range(n):
            w = min(max(u[side, i], floor), _LARGEST_U)
            r = -scale / math.log(w)
            e = 1.0 / w if same else math.exp(length / r)
            rate[side, i] = w * scale / (r * r) * v * (drive - cs * e) / (r * inverse_d + inverse_k)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _over_a_table(u, n, scale, drive, ln_ksp, length, diff, kr, v, least, grid, solution, rate):
    """The same where the concentration at a surface is that of a table, at p = ln Ksp + length/r."""
    floor = math.exp(-scale / least)
    inverse_d, inverse_k = 1.0 / diff, 1.0 / kr
    for side in range(2):
        for i in range(n):
            w = min(max(u[side, i], floor), _LARGEST_U)
            r = -scale / math.log(w)
            there = math.exp(ln_free(grid, solution, ln_ksp + length / r)[0])
            rate[side, i] = w * scale / (r * r) * v * (drive - there) / (r * inverse_d + inverse_k)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _to_sizes(mode, u, n, scale, r):
    for side in range(2):
        for i in range(n):
            value = u[side, i]
            if mode == CLASSICAL:
                # a trial step may shoot beyond any size: it takes more than is there, and is refused
                r[side, i] = -scale / math.log(min(value, _LARGEST_U)) if value > 1e-300 else 0.0
            elif mode >= RIPENING:
                # below 0 lies what has dissolved
                r[side, i] = math.copysign(abs(value) ** (1.0 / 3.0 if mode == RIPENING else 0.5), value)
            else:
                r[side, i] = value


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _from_sizes(mode, low, high, n, scale, u):
    for side in range(2):
        for i in range(n):
            r = high[i] if side else low[i]
            if mode == CLASSICAL:
                u[side, i] = math.exp(-scale / r) if r > 0.0 else 0.0
            elif mode >= RIPENING:
                u[side, i] = r**3 if mode == RIPENING else r * r
            else:
                u[side, i] = r


@njit(cache=True, error_model="numpy")
def _size_per_u(mode, r, scale):
    """dr/du at a size."""
    if mode == CLASSICAL:
        return r * r / (scale * math.exp(-scale / r))
    if mode >= RIPENING:
        return 1.0 / (3.0 * r * r) if mode == RIPENING else 0.5 / r
    return 1.0


@njit(cache=True, error_model="numpy")
def _rates(code, p, env, grid, solution, scale, r, u, number, n, born, rate_u, out):
    """Right-hand side. out: dM0, dM1, dQ, dissolved, free, S, entry radius, bound amount."""
    low, high = r[0], r[1]
    m0 = born[0]
    centre, spread = 0.0, 0.0
    if m0 > 0.0:
        centre = born[1] / m0
        spread = max(born[2] / m0, 0.0)
    least, amount = p[0], p[1]
    volume = env[VOLUME]
    rate, entry, g, dg = 0.0, 0.0, 0.0, 0.0
    bound = amount * (sum_r3(low, high, number, n, least) + m0 * (centre**3 + 3.0 * centre * spread))
    dissolved = (env[SUPPLIED] - bound) / volume
    free, s = dissolved, 0.0
    if code == CLASSICAL:
        v = p[2] * _AVOGADRO
        # what crystals have taken up has left its complexant in the solution
        complexant = env[COMPLEXANT] + max(env[SUPPLIED] / volume - dissolved, 0.0)
        free = free_monomer(max(dissolved, 0.0), complexant, env[DISSOCIATION])
        s = free / env[CS]
        tabled = solution.shape[1] > 0
        ln_ksp = 0.0
        if tabled:
            ln_ksp = ln_solubility_product(env[CS])
            free, s = 0.0, 0.0
            if dissolved > 0.0:
                product = ln_product(grid, solution, dissolved)
                free = math.exp(ln_free(grid, solution, product)[0])
                s = math.exp(min(product - ln_ksp, 700.0))
        heat = _BOLTZMANN * env[T]
        length = 2.0 * env[GAMMA] * p[2] / heat
        kr = env[KR]
        if p[5] > 0.0 and env[LIGAND] > 0.0:
            square = m0 * centre * centre
            for i in range(n):
                square += number[i] * 0.25 * (low[i] + high[i]) ** 2
            kr *= uncovered(p[5], p[6] * p[7] * square / volume, env[LIGAND])
        if s > _LEAST_S:
            log = math.log(s)
            ln_rate = env[LNA] - env[BARRIER] * p[3] * env[GAMMA] ** 3 * p[2] ** 2 / (heat**3 * log * log)
            if ln_rate > _LN_FEWEST:
                rate = math.exp(min(ln_rate, 300.0)) * volume
                if p[4] > 0.0:  # sites, each taken by one nucleus
                    taken = m0
                    for i in range(n):
                        taken += number[i]
                    rate *= max(1.0 - taken / p[4], 0.0)
                entry = max(length / log + 0.5 * math.sqrt(heat / (math.pi * env[GAMMA])), least)
        if tabled:
            _over_a_table(
                u, n, scale, free, ln_ksp, length, env[DIFF], kr, v, least, grid, solution, rate_u
            )  # fmt: skip
        else:
            _gibbs_thomson(u, n, scale, free, env[CS], length, env[DIFF], kr, v, least, rate_u)
        if rate > 0.0 or m0 > 0.0:
            at = max(centre if m0 > 0.0 else entry, least)
            e, slope = env[CS] * math.exp(length / at), 1.0
            if tabled:
                e, slope = ln_free(grid, solution, ln_ksp + length / at)
                e = math.exp(e)
            resistance = 1.0 / (at / env[DIFF] + 1.0 / kr)
            g = v * (free - e) * resistance
            dg = (v * e * slope * length / (at * at) - g / env[DIFF]) * resistance
    elif code == POWER:
        free = max(dissolved, 0.0)
        s = (free - env[CS]) / env[CS]
        g = 0.5 * p[4] * max(s, 0.0) ** p[5]
        rate_u[:, :n] = g
        rate = p[2] * max(s, 0.0) ** p[3] * volume
        entry = p[6]
    elif code == PLAIN:
        kind, value = p[2], p[3]
        rate, entry = p[4], p[5]
        at = centre if m0 > 0.0 else entry
        for side in range(2):
            for i in range(n):
                size = u[side, i]
                rate_u[side, i] = value * (1.0 if kind == 0.0 else size if kind == 1.0 else 1.0 / size)
        if kind == 0.0:
            g, dg = value, 0.0
        elif kind == 1.0:
            g, dg = value * at, value
        elif at > 0.0:
            g, dg = value / at, -value / (at * at)
    else:
        # linearised Gibbs-Thomson with nothing in solution: the mean field follows from the population
        m_0, m_1, m_2 = 0.0, 0.0, 0.0
        for i in range(n):
            a, b = max(low[i], least), high[i]
            if b > a:
                share = number[i] * (b - a) / (b - low[i])
                m_0 += share
                m_1 += share * 0.5 * (a + b)
                m_2 += share * (a * a + a * b + b * b) / 3.0
        mean = m_1 / m_0 if m_0 > 0.0 else 1.0
        critical = m_2 / m_1 if m_1 > 0.0 else 1.0
        for side in range(2):
            for i in range(n):
                size = r[side, i]
                if p[2] == 0.0:
                    rate_u[side, i] = 3.0 * p[3] * (size / mean - 1.0)
                else:
                    rate_u[side, i] = 2.0 * p[3] * (size / critical - 1.0)
    if m0 <= 0.0:
        centre = entry
    out[0] = rate
    out[1] = rate * entry + m0 * g
    out[2] = rate * (entry - centre) ** 2 + 2.0 * m0 * spread * dg
    out[3] = dissolved
    out[4] = free
    out[5] = s
    out[6] = entry
    out[7] = bound


@njit(cache=True, error_model="numpy")
def _stage(
    code, mode, p, knots, table, first, last, time, dt, a1, a2, a3, u, k1, k2, k3, o1, o2, o3, w, r, scale,
    number, n, born, env, chemistry, solution, k_out, o_out,
):  # fmt: skip
    """Rates at `time` and u + dt (a1 k1 + a2 k2 + a3 k3): one stage of a Runge-Kutta step."""
    for side in range(2):
        for i in range(n):
            slope = 0.0  # a rate that does not count may not be known yet
            if a1 > 0.0:
                slope += a1 * k1[side, i]
            if a2 > 0.0:
                slope += a2 * k2[side, i]
            if a3 > 0.0:
                slope += a3 * k3[side, i]
            w[side, i] = u[side, i] + dt * slope
    _to_sizes(mode, w, n, scale, r)
    for q in range(3):
        born[q] = dt * (a1 * o1[q] + a2 * o2[q] + a3 * o3[q])
    conditions_at(knots, table, first, last, time, env)
    if solution.shape[1] > 0:
        table_at(knots, chemistry[0], chemistry[1], first, last, time, solution)
    _rates(code, p, env, chemistry[2], solution, scale, r, w, number, n, born, k_out, o_out)


@njit(cache=True, error_model="numpy")
def _report(out, low, high, number, n, o):
    m0, m1, m2, variance = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        m0 += number[i]
        m1 += number[i] * 0.5 * (low[i] + high[i])
        m2 += number[i] * (low[i] ** 2 + low[i] * high[i] + high[i] ** 2) / 3.0
    mean = m1 / m0 if m0 > 0.0 else 0.0
    for i in range(n):
        variance += number[i] * ((0.5 * (low[i] + high[i]) - mean) ** 2 + (high[i] - low[i]) ** 2 / 12.0)
    out[NUMBER], out[MEAN] = m0, mean
    out[VARIANCE] = variance / m0 if m0 > 0.0 else 0.0
    out[SQUARE], out[CUBE] = m2, sum_r3(low, high, number, n, 0.0)
    out[DISSOLVED], out[FREE], out[SUPERSATURATION] = o[3], o[4], o[5]
    out[RATE], out[ENTRY], out[BOUND] = o[0], o[6], o[7]


@njit(cache=True, error_model="numpy", nogil=True)
def run(
    code, p, knots, table, sections, chemistry, low, high, number, n, start, times, tolerance, fixed_step,
    most, most_steps, out, keep, out_low, out_high, out_number, out_count,
):  # fmt: skip
    """Integrate one case from `start` through `times`; returns (state, steps, time reached, count).

    sections[k] = (first knot, last knot) of the k-th smooth stretch: a jump of the conditions lies between
    two of them. chemistry: tables of the solution as `packed_solution` gives them. out[i]: the columns named
    above; keep: 1 writes the cohorts at each time.
    """
    cap = low.shape[0]
    # one row an edge: 0 lower, 1 upper
    u, w, r = np.empty((2, cap)), np.empty((2, cap)), np.empty((2, cap))
    k1, k2, k3, k4 = np.empty((2, cap)), np.empty((2, cap)), np.empty((2, cap)), np.empty((2, cap))
    env, solution = np.empty(table.shape[1]), np.empty((4, chemistry[1].shape[2]))
    o1, o2, o3, o4 = np.zeros(8), np.zeros(8), np.zeros(8), np.zeros(8)
    born = np.zeros(3)
    least = p[0]
    scale = 1.0
    mode = code + (1 if code == RIPENING and p[2] != 0.0 else 0)
    time, step = start, 0.0
    steps, rejected, nuclei, gone, left, peak, uptake = 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0
    section = 0
    fresh = True
    youngest = -1
    for index in range(times.shape[0]):
        while time < times[index]:
            while section < sections.shape[0] - 1 and knots[sections[section, 1]] <= time:
                section += 1
                fresh = True
            first, last = sections[section, 0], sections[section, 1]
            end = times[index]
            if section < sections.shape[0] - 1:
                end = min(end, knots[last])
            if fresh:
                conditions_at(knots, table, first, last, time, env)
                if solution.shape[1] > 0:
                    table_at(knots, chemistry[0], chemistry[1], first, last, time, solution)
                if code == CLASSICAL:
                    scale = 2.0 * env[GAMMA] * p[2] / (_BOLTZMANN * env[T])
                born[:] = 0.0
                _from_sizes(mode, low, high, n, scale, u)
                r[0, :n], r[1, :n] = low[:n], high[:n]
                _rates(code, p, env, chemistry[2], solution, scale, r, u, number, n, born, k1, o1)
                peak = max(peak, o1[5])
                fresh = False
                if step <= 0.0:
                    step = 1e-4 * (end - time)
                    for i in range(n):
                        speed = abs(k1[1, i]) * _size_per_u(mode, high[i], scale)
                        if speed > 0.0:
                            step = min(step, 0.02 * high[i] / speed)
            dt = fixed_step if fixed_step > 0.0 else step
            if end - time <= dt * (1.0 + 1e-9):
                dt = end - time
            # Bogacki-Shampine 3(2)
            _stage(
                code, mode, p, knots, table, first, last, time + 0.5 * dt, dt, 0.5, 0.0, 0.0,
                u, k1, k2, k3, o1, o2, o3, w, r, scale, number, n, born, env, chemistry, solution, k2, o2,
            )  # fmt: skip
            _stage(
                code, mode, p, knots, table, first, last, time + 0.75 * dt, dt, 0.0, 0.75, 0.0,
                u, k1, k2, k3, o1, o2, o3, w, r, scale, number, n, born, env, chemistry, solution, k3, o3,
            )  # fmt: skip
            _stage(
                code, mode, p, knots, table, first, last, time + dt, dt, 2.0 / 9.0, 3.0 / 9.0, 4.0 / 9.0,
                u, k1, k2, k3, o1, o2, o3, w, r, scale, number, n, born, env, chemistry, solution, k4, o4,
            )  # fmt: skip
            steps += 1
            if steps > most_steps:
                return TOO_MANY_STEPS, steps, time, n
            # errors: sizes, weighted by number; number and mean size of the newborn, against all
            total, weighted, missing, mean = born[0], 0.0, 0.0, 0.0
            for i in range(n):
                total += number[i]
                mean += number[i] * r[1, i]
            smallest = 0.2 * mean / total if total > 0.0 else 0.0
            for i in range(n):
                for side in range(2):
                    size = r[side, i]
                    if size > least:
                        k = (
                            -5.0 / 72.0 * k1[side, i] + k2[side, i] / 12.0 + k3[side, i] / 9.0
                            - 0.125 * k4[side, i]
                        )  # fmt: skip
                        error = dt * k * _size_per_u(mode, size, scale)
                        weighted += 0.5 * number[i] * (error / max(size, smallest)) ** 2
                        missing += 1.5 * number[i] * size * size * error
            # fewer than one crystal in a cubic metre are no population to be precise about: without this the
            # first trace of nuclei, which comes out of nothing, would ask for ever shorter steps
            total = max(total, FEWEST_PER_M3)
            norm = 0.0
            if born[0] > 0.0 or n > 0:
                norm = math.sqrt(weighted / total)
                if born[0] > 0.0:
                    e0 = dt * (-5.0 / 72.0 * o1[0] + o2[0] / 12.0 + o3[0] / 9.0 - 0.125 * o4[0])
                    e1 = dt * (-5.0 / 72.0 * o1[1] + o2[1] / 12.0 + o3[1] / 9.0 - 0.125 * o4[1])
                    mean = born[1] / born[0]
                    norm = max(norm, abs(e0) / total, abs(e1) / (total * mean) if mean > 0.0 else 0.0)
                    # a cohort is an even spread: within one step the rate must not change by much
                    if born[0] > 0.01 * tolerance * total and code == CLASSICAL:
                        change = abs(o4[0] - o1[0]) / (o4[0] + o1[0])
                        norm = max(norm, tolerance * (change / (BEND * tolerance**0.25)) ** 3)
            if o4[3] > 0.0 and code != RIPENING:
                dissolved = max(o4[3], 1e-3 * env[SUPPLIED] / env[VOLUME])
                norm = max(norm, abs(p[1] * missing) / (env[VOLUME] * dissolved))
            # more grew than was there; a deficit that is being paid back is none of this step
            short = min(o1[3], 0.0) - 1e-12 * abs(env[SUPPLIED]) / env[VOLUME]
            if o4[3] < short or not math.isfinite(norm):
                norm = 1e6 * tolerance
            ratio = norm / tolerance
            if fixed_step <= 0.0 and ratio > 1.0:
                rejected += 1
                step = dt * max(0.2, 0.9 * ratio ** (-1.0 / 3.0))
                if time + step == time or step < 1e-300:
                    return STEP_TOO_SMALL, steps, time, n
                continue
            if fixed_step <= 0.0:
                grown = dt * (5.0 if ratio <= 0.0 else min(5.0, 0.9 * ratio ** (-1.0 / 3.0)))
                step = max(step, grown) if dt < step else grown
            time = end if dt == end - time else time + dt
            for i in range(n):
                low[i], high[i] = r[0, i], max(r[1, i], r[0, i])
            for side in range(2):
                for i in range(n):
                    u[side, i], k1[side, i] = w[side, i], k4[side, i]
            if code == CLASSICAL and p[4] > 0.0 and born[0] > 0.0:
                free_sites = max(p[4] - number[:n].sum(), 0.0)
                if born[0] > free_sites:  # each place is taken once, to rounding
                    born *= free_sites / born[0]
            # what nuclei held as they entered, from the middle of the step
            uptake += born[0] * o3[6] ** 3
            o1[:] = o4
            peak = max(peak, o4[5])
            if code == CLASSICAL and 2.0 * env[GAMMA] * p[2] / (_BOLTZMANN * env[T]) != scale:
                fresh = True
            if env[WASHOUT] > 0.0:
                share = math.exp(-env[WASHOUT] * dt)
                for i in range(n):
                    left += number[i] * (1.0 - share)
                    number[i] *= share
                # the newborn were there for half the step in the mean
                left += born[0] * (1.0 - math.sqrt(share))
                born *= math.sqrt(share)
                fresh = True
            if code in (CLASSICAL, RIPENING):
                for i in range(n):
                    if low[i] < least:
                        n, lost, youngest = trim(low, high, number, n, least, youngest)
                        gone += lost
                        fresh = True
                        break
            if born[0] > 0.0 and code == CLASSICAL and born[1] <= least * born[0]:
                # a trace of nuclei that had dissolved again by the end of the step
                nuclei += born[0]
                gone += born[0]
                youngest = -1
                fresh = True
            elif born[0] > 0.0:
                nuclei += born[0]
                x = born[1] / born[0]
                h = math.sqrt(3.0 * max(born[2] / born[0], 0.0))
                h = max(min(h, x - least), 1e-6 * x)
                low[n], high[n], number[n] = x - h, x + h, born[0]
                if youngest >= 0 and o4[6] > 0.0:
                    # neighbours touch: from where nuclei enter now to the last that entered before
                    low[n] = min(o4[6], low[youngest])
                    high[n] = max(o4[6], low[youngest])
                youngest = n
                n += 1
                fresh = True
            else:
                youngest = -1
            if n >= most:
                n = merge(low, high, number, n, (6 * most) // 10, least)
                youngest = -1
                fresh = True
            elif code == RIPENING and n < most // 4:
                before = n
                n = refine(low, high, number, n, most // 2, 0.0, 0.1 / most**3)
                fresh = fresh or n > before
            elif code == CLASSICAL:
                before = n
                n = refine(low, high, number, n, most, scale, REFINE * tolerance)
                fresh = fresh or n > before
        conditions_at(knots, table, sections[section, 0], sections[section, 1], time, env)
        if solution.shape[1] > 0:
            table_at(
                knots, chemistry[0], chemistry[1], sections[section, 0], sections[section, 1], time, solution
            )  # fmt: skip
        born[:] = 0.0
        if code == CLASSICAL:
            scale = 2.0 * env[GAMMA] * p[2] / (_BOLTZMANN * env[T])
        _from_sizes(mode, low, high, n, scale, u)
        r[0, :n], r[1, :n] = low[:n], high[:n]
        _rates(code, p, env, chemistry[2], solution, scale, r, u, number, n, born, k1, o1)
        _report(out[index], low, high, number, n, o1)
        out[index, REJECTED], out[index, NUCLEI], out[index, GONE] = rejected, nuclei, gone
        out[index, WAY_OUT] = left
        out[index, PEAK], out[index, UPTAKE] = max(peak, o1[5]), p[1] * uptake
        if keep:
            out_low[index, :n], out_high[index, :n], out_number[index, :n] = low[:n], high[:n], number[:n]
            out_count[index] = n
    return DONE, steps, time, n

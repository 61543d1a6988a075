"""Compiled sums over directions of the deterministic slab: powers of the transmission of one cell.

For uniform cells every kernel of the slab is a power r^k of the transmission r = exp(-x) of one cell at one
direction, x = alpha h/mu. One pass over k gives all of them. `slab_vectors_plain` of `slab_cells.py` is the
same in NumPy.
"""

import math

import numpy as np
from numba import njit


@njit(cache=True, fastmath={"reassoc", "contract"})
def slab_vectors(depth, cosine, weight, reflect_top, reflect_bottom, cells):
    """Sums over directions at each wavelength; see `slab_cells.CellVectors` for the seven arrays."""
    wavelengths, directions = len(depth), len(cosine)
    own = np.zeros(wavelengths)
    direct = np.zeros((wavelengths, cells))
    both = np.zeros((wavelengths, cells))
    top = np.zeros((wavelengths, 2 * cells - 1))
    bottom = np.zeros((wavelengths, 2 * cells - 1))
    escape_top = np.zeros((wavelengths, cells))
    escape_bottom = np.zeros((wavelengths, cells))
    r, power = np.empty(directions), np.empty(directions)
    c_direct, c_top = np.empty(directions), np.empty(directions)
    c_bottom, c_both = np.empty(directions), np.empty(directions)
    out_top, out_bottom = np.empty(directions), np.empty(directions)
    top_over, bottom_over = np.empty(directions), np.empty(directions)
    for i in range(wavelengths):
        own_sum = 0.0
        for m in range(directions):
            a = depth[i] / cosine[m]
            x = a / cells
            p = -math.expm1(-x)
            g = p / x if x > 0.0 else 1.0
            short = 0.5 * x - x * x / 6.0 + x * x * x / 24.0 if x < 1e-4 else 1.0 - g
            rt, rb = reflect_top[i, m], reflect_bottom[i, m]
            round_trip = (1.0 - rt * rb) + rt * rb * (-math.expm1(-2.0 * a))
            half = 0.5 * weight[m]
            own_sum += half * 2.0 * short
            r[m] = math.exp(-x)
            power[m] = 1.0
            c_direct[m] = half * p * g
            c_top[m] = c_direct[m] * rt / round_trip
            c_bottom[m] = c_direct[m] * rb / round_trip
            c_both[m] = c_direct[m] * rt * rb / round_trip
            out_top[m] = half * (1.0 - rt) * g / round_trip
            out_bottom[m] = half * (1.0 - rb) * g / round_trip
            bottom_over[m] = out_top[m] * rb
            top_over[m] = out_bottom[m] * rt
        own[i] = own_sum
        last = 3 * cells - 2
        for k in range(last + 1):
            s_direct, s_top, s_bottom, s_both = 0.0, 0.0, 0.0, 0.0
            if k < 2 * cells - 1:
                for m in range(directions):
                    s_direct += c_direct[m] * power[m]
                    s_top += c_top[m] * power[m]
                    s_bottom += c_bottom[m] * power[m]
                top[i, k] = s_top
                bottom[i, k] = s_bottom
                if k < cells - 1:
                    direct[i, k + 1] = s_direct
            if k >= cells:
                for m in range(directions):
                    s_both += c_both[m] * power[m]
                # r^(2N-1-d) and r^(2N-1+d), d = |i - j|; at d = 0 both are the same power
                d = k - (2 * cells - 1)
                if d == 0:
                    both[i, 0] += 2.0 * s_both
                elif -cells < d < cells:
                    both[i, abs(d)] += s_both
            if k < 2 * cells:
                s_t, s_b, s_tb, s_bt = 0.0, 0.0, 0.0, 0.0
                if k < cells:
                    for m in range(directions):
                        s_t += out_top[m] * power[m]
                        s_b += out_bottom[m] * power[m]
                    escape_top[i, cells - 1 - k] += s_t
                    escape_bottom[i, k] += s_b
                else:
                    for m in range(directions):
                        s_tb += bottom_over[m] * power[m]
                        s_bt += top_over[m] * power[m]
                    escape_top[i, k - cells] += s_tb
                    escape_bottom[i, 2 * cells - 1 - k] += s_bt
            for m in range(directions):
                power[m] *= r[m]
    return own, direct, both, top, bottom, escape_top, escape_bottom

"""Compiled sums of the two-flux film: light emitted in one cell, passed on from cell to cell.

A cell has reflectance r, transmittance t and absorptance a = 1 - r - t for diffuse light; what is emitted in
it leaves by either side with e = a/(2 k h). `two_flux_plain` of `two_flux.py` solves the same as one linear
system.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def two_flux_cells(reflect, transmit, leave, top, bottom, share, sources):
    """Matrix P (N, N) summed with `share`, escapes (m, N), and what light of given sources leaves in cells.

    reflect, transmit, leave (m,): r, t, e of one cell; top, bottom (m,): reflectances of the faces from
    inside. sources (s, m, N): diffuse light that begins in the cells. Returns matrix, escape_top,
    escape_bottom and taken (s, m, N), absorbed in the cells.
    """
    wavelengths, cells = len(reflect), sources.shape[2]
    matrix = np.zeros((cells, cells))
    escape_top, escape_bottom = np.zeros((wavelengths, cells)), np.zeros((wavelengths, cells))
    taken = np.zeros(sources.shape)
    column = np.empty(cells)
    above, below = np.empty(cells), np.empty(cells)
    for i in range(wavelengths):
        r, t, e = reflect[i], transmit[i], leave[i]
        a = 1.0 - r - t
        below[0], above[cells - 1] = bottom[i], top[i]
        for j in range(1, cells):
            below[j] = r + t * t * below[j - 1] / (1.0 - r * below[j - 1])
            up = cells - 1 - j
            above[up] = r + t * t * above[up + 1] / (1.0 - r * above[up + 1])
        for j in range(cells):
            # x, y: light on the cell from below and from above; up, down: what leaves it there
            ru, rd = above[j], below[j]
            p, q = 1.0 - r * rd, 1.0 - r * ru
            down = e * (q + t * ru) / (p * q - t * t * ru * rd)
            up_ = e * (p + t * rd) / (p * q - t * t * ru * rd)
            x, y = rd * down, ru * up_
            column[j] = (1.0 - 2.0 * e) + a * (x + y)
            flow = up_
            for c in range(j + 1, cells):
                flow_on = t * flow / (1.0 - r * above[c])
                column[c] = a * (flow + above[c] * flow_on)
                flow = flow_on
            escape_top[i, j] = (1.0 - top[i]) * flow
            flow = down
            for c in range(j - 1, -1, -1):
                flow_on = t * flow / (1.0 - r * below[c])
                column[c] = a * (flow + below[c] * flow_on)
                flow = flow_on
            escape_bottom[i, j] = (1.0 - bottom[i]) * flow
            for c in range(cells):
                matrix[c, j] += share[i] * column[c]
                for k in range(len(sources)):
                    taken[k, i, c] += column[c] * sources[k, i, j]
    return matrix, escape_top, escape_bottom, taken

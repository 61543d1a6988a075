"""The correlated electron-hole pair behind hard walls: solvers, tables, limits, shapes, surroundings.

In exciton Bohr radii and Rydbergs, for any material. Start with `tables.interpolate`,
`transitions.transitions` and `shapes.pair_in`; `cube` and `sphere` solve from scratch, `product_sines` and
`sphere_products` check them.
"""

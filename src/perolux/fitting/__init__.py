"""Floor 0: fitting and statistics that know no nanocrystal.

`grids`: exact posteriors on grids, credible intervals, coverage. There are no Markov-chain samplers here:
the posteriors of the first rooms have one to three dimensions, where a grid is exact and faster; a sampler
comes with the first problem that a grid cannot hold.
"""

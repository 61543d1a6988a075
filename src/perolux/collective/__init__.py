"""Collective light: superradiance and superfluorescence of assemblies of nanocrystals.

Rates are in units of Gamma, the radiative rate of one emitter in its surroundings, times in 1/Gamma, shifts in
hbar Gamma. `couplings`: decay matrix and coherent shifts of dipoles. `dicke`: identical emitters at one place,
exactly. `symmetric`: the same with loss and dephasing. `single_excitation`: one photon among many emitters.
`blocks`, `master_equation`: few emitters with everything, exactly. `trajectories`: unbiased quantum jumps.
"""

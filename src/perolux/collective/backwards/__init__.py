"""Bursts backwards: from counts to what made them, superfluorescence weighed against its rivals.

`files`, `data`: what was measured. `domains`: identical emitters with dephasing, tabulated for fits;
`models`: they and four rivals; `likelihood`: photons behind an instrument, priors. `compare`: evidence of
each; `identify`: what is known and what is not; `bunching`: what g2(0) alone says; `simulate`, `study`:
counts with a known truth.
"""

"""Floor 2: photons. Streams, decays and quantum light of one nanocrystal: simulated and analysed.

`hom`: two-photon interference, from lifetime and coherence to visibility and back. `correlation`: g2 over a
window and over logarithmic lags. `pulsed_g2`: purity of a pulsed source. `change_points`, `levels`,
`dwell_times`: blinking. `decay_fit`: lifetimes by Poisson likelihood. `analysis`: all of it for one record,
as `perolux photons` shows it.
"""

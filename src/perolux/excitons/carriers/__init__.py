"""One carrier in a nanocrystal: masses that grow with energy, walls of finite height, and their checks.

`effective_pair` hands masses and lengths on to the pair; `spinor_sphere` and `plane_waves` check it.
"""

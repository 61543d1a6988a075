"""What instruments make of collective light.

`response`: blur in time; `streak`: streak camera, photon counter, spectrometer; `aperture`: what a lens
takes, with or without a substrate; `seen`: an assembly as the instrument of its file sees it; `spectrometer`,
`michelson`: slit and fringes of a spectrum of lines; `analysed`: both for an assembly.
"""

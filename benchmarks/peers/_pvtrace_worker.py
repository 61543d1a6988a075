"""Run by the Python of an environment with pvtrace: one film, a few hundred rays, counts as JSON.

Reads a JSON object from standard input: index, side, thickness, wavelength_nm, absorption (per length),
emission, plqy, source_nm, rays, seed, method. Imports nothing of perolux.
"""

import json
import sys
import time

import numpy as np


def main():
    # names that NumPy has dropped and pvtrace 2.1 still uses
    vars(np).update(float=float, int=int)
    import pvtrace
    from pvtrace import Box, Light, Luminophore, Material, Node, Scene, Sphere, photon_tracer
    from pvtrace.algorithm.photon_tracer import Event

    case = json.load(sys.stdin)
    np.random.seed(case["seed"])  # noqa: NPY002  (pvtrace draws from the old global state)
    nm = np.array(case["wavelength_nm"])
    side, thickness = case["side"], case["thickness"]
    dye = Luminophore(
        coefficient=np.column_stack((nm, case["absorption"])),
        emission=np.column_stack((nm, case["emission"])),
        quantum_yield=case["plqy"],
    )
    world = Node(name="world", geometry=Sphere(radius=10.0 * side, material=Material(refractive_index=1.0)))
    film = Material(refractive_index=case["index"], components=[dye])
    Node(name="film", geometry=Box((side, side, thickness), material=film), parent=world)
    light = Node(name="light", light=Light(wavelength=lambda: case["source_nm"]), parent=world)
    light.translate((0.0, 0.0, -thickness))
    scene = Scene(world)
    ends = dict.fromkeys(("t_blue", "r_blue", "t_em", "r_em", "edge_blue", "edge_em", "loss", "killed"), 0)
    emissions, events = 0, 0
    start = time.process_time()
    for ray in scene.emit(case["rays"]):
        history = photon_tracer.follow(scene, ray, maxsteps=case["most_steps"], emit_method=case["method"])
        events += len(history)
        emitted = sum(event is Event.EMIT for _, event in history)
        emissions += emitted
        last = history[-1][1]
        if last is Event.ABSORB:
            ends["loss"] += 1
        elif last is Event.EXIT:
            at = history[-2][0].position[2]
            kind = "t" if at > 0.499 * thickness else "r" if at < -0.499 * thickness else "edge"
            ends[f"{kind}_{'em' if emitted else 'blue'}"] += 1
        else:
            ends["killed"] += 1
    seconds = time.process_time() - start
    shares = {name: count / case["rays"] for name, count in ends.items()}
    print(
        json.dumps(
            {
                "version": getattr(pvtrace, "__version__", "unknown"),
                "numpy": np.__version__,
                "seconds": seconds,
                "events": events,
                "emissions_per_photon": emissions / case["rays"],
                **shares,
            }
        )
    )


if __name__ == "__main__":
    main()

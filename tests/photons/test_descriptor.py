"""The document of a source: there and back, its schema, what Perceval is given, and what is refused."""

import importlib.util
import json

import pytest

from perolux.errors import InputError, NotAvailableError
from perolux.photons.descriptor import (
    FORMAT,
    SourceDescriptor,
    perceval_noise,
    read_descriptor,
    schema,
    write_descriptor,
)

SOURCE = SourceDescriptor(
    "CsPbBr3 cube, 4 K", t1_ps=100.0, t2_ps=112.0, g2_zero=0.02, visibility=0.56, efficiency=0.2,
    energy_ev=2.36, extra_photons="alike", spectrum=((2.35, 2.36, 2.37), (0.0, 100.0, 0.0)),
    sources={"visibility": "10.1038/s41566-023-01225-w"},
)  # fmt: skip


def test_there_and_back(tmp_path):
    path = write_descriptor(SOURCE, tmp_path / "source.json")
    again = read_descriptor(path)
    assert again.as_dict() == SOURCE.as_dict()
    said = json.loads(path.read_text())
    assert said["temperature_k"] is None and said["reasons"]["temperature_k"] == "not given"


def test_the_schema_names_every_key():
    assert set(SOURCE.as_dict()) == set(schema()["properties"])


def test_perceval_gets_what_it_needs():
    assert perceval_noise(SOURCE) == {
        "brightness": 0.2, "indistinguishability": 0.56, "g2": 0.02, "g2_distinguishable": False,
    }  # fmt: skip
    with pytest.raises(NotAvailableError, match="efficiency, g2_zero, extra_photons"):
        perceval_noise(SourceDescriptor("bare", visibility=0.5))


@pytest.mark.skipif(importlib.util.find_spec("perceval") is None, reason="perceval-quandela is not installed")
def test_perceval_sees_the_same_visibility():
    import perceval

    noise = perceval_noise(SOURCE) | {"g2": 0.0}
    circuit = perceval.Processor("SLOS", perceval.BS.H(), noise=perceval.NoiseModel(**noise))
    circuit.min_detected_photons_filter(2)
    circuit.with_input(perceval.BasicState([1, 1]))
    found = circuit.probs()["results"]
    both = sum(p for state, p in found.items() if state[0] and state[1])
    assert 1 - 2 * both == pytest.approx(0.56, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"visibility": 56.0}, "per cent"),
        ({"t1_ps": 0.0}, "t1_ps"),
        ({"t1_ps": 10.0, "t2_ps": 30.0}, "twice"),
        ({"g2_zero": float("nan")}, "no number"),
        ({"efficiency": "high"}, "no number"),
        ({"extra_photons": "odd"}, "unrelated"),
        ({"spectrum": ((1.0, 1.0), (0.0, 1.0))}, "ascending"),
        ({"spectrum": (("a",), ("b",))}, "numbers"),
    ],
)
def test_refused(change, says):
    with pytest.raises(InputError, match=says):
        SourceDescriptor("bad", **change)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"format": "other"}', f'{{"format": "{FORMAT}", "name": "x", "t3_ps": 1}}',
     f'{{"format": "{FORMAT}"}}',
     f'{{"format": "{FORMAT}", "name": "x", "spectrum": [1]}}'],
)  # fmt: skip
def test_documents_refused(text, tmp_path):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InputError):
        read_descriptor(tmp_path / "bad.json")

"""Attachment and breakage in the finite volume engine: exact limits, balances, what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma, poisson

from perolux.errors import ModelRangeError, OptionError
from perolux.synthesis import (
    Breakage,
    BrownianAttachment,
    ClassicalGrowth,
    Conditions,
    ConstantAttachment,
    OrientedAttachment,
    PlainGrowth,
    SizeDistribution,
    constant_conditions,
    grow_finite_volume,
)
from perolux.synthesis.aggregation import attachment_rate, attachment_records
from perolux.synthesis.laws import BOLTZMANN_J_PER_K

NM = 1e-9
STILL = PlainGrowth("constant", 0.0)
ALONE = constant_conditions(solubility_mol_m3=1.0, supplied_mol_m3=0.0)
START = SizeDistribution(np.array([2.0 * NM]), np.array([2.1 * NM]), np.array([1e20]))


def alone(times, *, largest_m=10 * NM, cells=100, start=START, conditions=ALONE, **how):
    return grow_finite_volume(STILL, conditions, times, largest_m=largest_m, cells=cells, start=start, **how)


def content(model_r3, history):
    return np.array([one.moment(3) for one in history.distributions]) / model_r3


def test_numbers_of_every_size_follow_smoluchowski():
    # cells of 0.1 nm: the start fills one; n_j lie at j times its volume
    t = np.array([0.5, 1.0, 3.0])
    found = alone(2 * t / (1e-18 * 1e20), attachment=ConstantAttachment(1e-18))
    assert found.number_per_m3 == pytest.approx(1e20 / (1 + t), rel=5e-6)
    faces = np.linspace(0, 10 * NM, 101)
    size = 0.25 * (faces[:-1] + faces[1:]) * (faces[:-1] ** 2 + faces[1:] ** 2) / START.moment(3) * 1e20
    counts = found.distributions[1].counts(faces)
    for j in (1, 2, 3):
        assert counts[np.abs(size - j) < 0.5].sum() == pytest.approx(1e20 / 2 ** (j + 1), rel=1e-4)
    assert found.attachments_per_m3 == pytest.approx(1e20 - found.number_per_m3, rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    rate=st.floats(1e-21, 1e-18),
    breaks=st.floats(0.0, 0.05),
    alpha=st.floats(0.0, 6.0),
    nu=st.floats(-0.9, 0.0),
    low=st.floats(0.3, 3.0),
    width=st.floats(0.0, 2.0),
    kind=st.sampled_from(["constant", "brownian", "oriented"]),
)
def test_volume_and_the_count_stay(rate, breaks, alpha, nu, low, width, kind):
    start = SizeDistribution(np.array([low * NM]), np.array([(low + width) * NM]), np.array([1e19]))
    attachment = {
        "constant": ConstantAttachment(rate),
        "brownian": BrownianAttachment(0.4 * NM, min(rate / 1e-17, 1.0)),
        "oriented": OrientedAttachment(min(rate / 1e-17, 1.0), 2.0),
    }[kind]
    found = alone(
        [0.0, 0.01, 0.1], largest_m=25 * NM, cells=40, start=start, attachment=attachment,
        breakage=Breakage(breaks, 3 * NM, alpha, nu),
    )  # fmt: skip
    assert content(found.distributions[0].moment(3), found) == pytest.approx(1.0, rel=1e-12)
    counted = found.number_per_m3[0] - found.attachments_per_m3 + found.fragments_per_m3
    assert found.number_per_m3 + found.dissolved_crystals_per_m3 == pytest.approx(counted, rel=1e-11)
    assert all((one.number_per_m3 >= 0).all() for one in found.distributions)


@pytest.mark.parametrize(("nu", "pieces"), [(0.0, 2.0), (-0.5, 3.0), (-0.75, 5.0)])
def test_every_breaking_gives_the_pieces_of_its_law(nu, pieces):
    # s the same for all sizes: N = N0 exp((pieces - 1) k t)
    breakage = Breakage(0.1, NM, 0.0, nu)
    assert breakage.pieces == pytest.approx(pieces)
    found = alone([1.0], largest_m=2.2 * NM, cells=400, breakage=breakage)
    grown = np.exp((pieces - 1) * 0.1)
    lost = found.dissolved_crystals_per_m3[0] / 1e20  # below the first cell, where a size is no longer told
    assert found.number_per_m3[0] / 1e20 + lost == pytest.approx(grown, rel=1e-6 + lost)
    assert lost < (1e-6, 1e-4, 1e-2)[(0.0, -0.5, -0.75).index(nu)]


def test_the_kernel_of_diffusion_is_that_of_stokes_and_einstein():
    # K of like crystals is 8 kT/(3 eta)
    eta, radius = 1e-3, 0.4 * NM
    diffusivity = BOLTZMANN_J_PER_K * 298.15 / (6 * np.pi * eta * radius)
    kernel = BrownianAttachment(radius).kernel_m3_s(np.array([1.0, 3.0]) * NM, diffusivity)
    assert kernel[0, 0] == pytest.approx(8 * BOLTZMANN_J_PER_K * 298.15 / (3 * eta))
    assert kernel[0, 1] / kernel[0, 0] == pytest.approx((1 + 3) ** 2 / (4 * 3))
    assert kernel[0, 1] == kernel[1, 0]


def test_meetings_follow_the_conditions():
    # twice the diffusivity, or half the volume, is twice as quick
    def left(diffusivity, volume):
        there = Conditions(
            **{name: getattr(ALONE, name) for name in ALONE.__dataclass_fields__}
            | {"diffusivity_m2_s": diffusivity, "volume_ratio": volume}
        )
        history = alone([0.2], attachment=BrownianAttachment(0.4 * NM, 1e-2), conditions=there)
        return history.number_per_m3[0] * volume

    assert left(1e-9, 1.0) < left(5e-10, 1.0) < 0.95e20
    assert left(1e-9, 2.0) == pytest.approx(left(5e-10, 1.0), rel=1e-9)


def test_ligand_gates_oriented_attachment():
    # so much ligand that the crystals take none of note: bare share 1/(1 + K L) = 1/3
    model = ClassicalGrowth(2e-28, ligand_binding_m3_mol=2.0, ligand_per_area_mol_m2=1e-12)
    start = SizeDistribution(np.array([2.0 * NM]), np.array([2.1 * NM]), np.array([1e20]))

    def left(ligand, kernel):
        there = constant_conditions(
            solubility_mol_m3=1e-9, supplied_mol_m3=20.0, surface_rate_m_s=1e-30, surface_energy_j_m2=0.01,
            ligand_mol_m3=ligand,
        )  # fmt: skip
        history = grow_finite_volume(
            model, there, [0.5], largest_m=10 * NM, cells=100, start=start, attachment=kernel
        )
        assert history.mass_error < 1e-12
        return history.number_per_m3[0]

    gated = left(1.0, OrientedAttachment(0.01, 2.0))
    assert gated == pytest.approx(left(0.0, OrientedAttachment(0.01 / 9, 2.0)), rel=1e-7)
    assert left(0.0, OrientedAttachment(0.01, 2.0)) < 0.9 * gated


def test_pieces_below_the_least_size_dissolve():
    # s the same for all sizes: a bit of volume sees a Poisson number of breakings, each of which leaves it in
    # a piece of the share z with the density 2 z, so that -ln z of n of them is gamma-distributed
    model = ClassicalGrowth(2e-28, least_radius_m=1.0 * NM)
    there = constant_conditions(
        solubility_mol_m3=1e-9, supplied_mol_m3=20.0, surface_rate_m_s=1e-30, surface_energy_j_m2=0.01
    )
    found = grow_finite_volume(
        model, there, [0.0, 20.0], largest_m=2.2 * NM, cells=120, start=START,
        breakage=Breakage(0.1, NM, 0.0),
    )  # fmt: skip
    assert found.mass_error < 1e-12
    assert found.dissolved_crystals_per_m3[1] > 1e20
    depth = np.log(found.distributions[0].moment(3) / 1e20 / NM**3)
    times = np.arange(1, 60)
    left = poisson.pmf(0, 2.0) + np.sum(poisson.pmf(times, 2.0) * gamma.cdf(depth, times, scale=0.5))
    assert found.bound_mol_m3[1] / found.bound_mol_m3[0] == pytest.approx(left, rel=2e-3)
    released = found.dissolved_mol_m3[1] - found.dissolved_mol_m3[0]
    assert released == pytest.approx(found.bound_mol_m3[0] - found.bound_mol_m3[1], rel=1e-9)


def test_nothing_changes_where_nothing_meets_or_breaks():
    model = PlainGrowth("constant", 0.01 * NM)
    plain = grow_finite_volume(model, ALONE, [50.0], largest_m=5 * NM, cells=100, start=START)
    none = grow_finite_volume(
        model, ALONE, [50.0], largest_m=5 * NM, cells=100, start=START,
        attachment=ConstantAttachment(0.0), breakage=Breakage(0.0, NM),
    )  # fmt: skip
    assert none.distributions[0].number_per_m3 == pytest.approx(plain.distributions[0].number_per_m3)
    assert none.attachments_per_m3[0] == none.fragments_per_m3[0] == 0.0


def test_joined_crystals_beyond_the_cells_are_refused():
    with pytest.raises(ModelRangeError, match="largest size"):
        alone([1.0], largest_m=4 * NM, attachment=ConstantAttachment(1e-18))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ConstantAttachment(-1.0), "rate_m3_s"),
        (lambda: ConstantAttachment(np.nan), "rate_m3_s"),
        (lambda: ConstantAttachment("1e-18"), "rate_m3_s"),
        (lambda: BrownianAttachment(0.4 * NM, 1.5), "sticking"),
        (lambda: BrownianAttachment(np.inf), "stokes_radius_m"),
        (lambda: OrientedAttachment(bare_sites=-1.0), "bare_sites"),
        (lambda: Breakage(1.0, 0.0), "reference_radius_m"),
        (lambda: Breakage("often", NM), "rate_per_s"),
        (lambda: Breakage(1.0, NM, -1.0), "size_exponent"),
        (lambda: Breakage(1.0, NM, 3.0, -1.0), "daughter_exponent"),
        (lambda: Breakage(np.nan, NM, 3.0, 0.5), "rate_per_s"),
        (lambda: alone([1.0], attachment=1e-18), "ConstantAttachment"),
        (lambda: alone([1.0], breakage=ConstantAttachment(1.0)), "Breakage"),
    ],
)
def test_bad_constants_are_refused_by_name(make, says):
    with pytest.raises(OptionError, match=says):
        make()


def test_spheres_have_no_faces_to_attach_by():
    model = ClassicalGrowth(2e-28, "sphere")
    with pytest.raises(OptionError, match=r"\{100\}"):
        grow_finite_volume(model, ALONE, [1.0], largest_m=5 * NM, attachment=OrientedAttachment())


def test_the_records_of_attachment_are_assumed_and_explained():
    from perolux.studies.sources import explain_key

    for name, record in attachment_records().items():
        assert record.kind == "assumed" and record.is_range
        assert explain_key(f"prior.{name}").chosen == record
    kernel = OrientedAttachment()
    assert kernel.sticking == attachment_records()["attachment_sticking"].number


def test_compiled_loops_do_what_plain_arrays_do():
    from perolux.synthesis._encounter_kernels import exchange, losses
    from perolux.synthesis.finite_volume import _encounters

    faces = np.linspace(0.5, 8.0, 41) * NM
    cube = 0.25 * (faces[:-1] + faces[1:]) * (faces[:-1] ** 2 + faces[1:] ** 2)
    number = np.where(np.arange(40) < 28, np.random.default_rng(3).uniform(0.1, 1.0, 40) * 1e19, 0.0)
    attachment, breakage = BrownianAttachment(0.4 * NM, 1e-3), Breakage(0.3, 2 * NM, 2.0, -0.3)
    _, tables = _encounters(attachment, breakage, faces, cube)
    kernel, partners, joined, upper, break_rate, pieces, dust, dust_bulk = tables
    loss, share, change, spare = np.empty(40), np.empty(40), np.empty(40), 1e30 * np.ones(40)
    losses(number, 5e-10, kernel, partners, break_rate, loss)
    content, gone, meetings, broken, shut = exchange(
        1e-9, 5e-10, kernel, partners, joined, upper, break_rate, pieces, dust, dust_bulk, number, spare,
        cube, loss, share, change,
    )  # fmt: skip
    full = attachment.kernel_m3_s(np.cbrt(cube), 5e-10)
    expected = attachment_rate(cube, number, np.where(number[:, None] * number[None, :] > 0, full, 0.0))
    breaking = breakage.rate_at_per_s(np.cbrt(cube)) * number
    expected += breaking @ pieces - breaking
    assert change == pytest.approx(expected, rel=1e-9, abs=1e-12 * np.abs(expected).max())
    assert meetings == pytest.approx(0.5 * number @ full @ number)
    assert gone == pytest.approx(breaking @ dust) and content == pytest.approx(-breaking @ dust_bulk)
    assert broken == pytest.approx(breaking @ (pieces.sum(axis=1) + dust - 1.0)) and shut == 0.0
    # every parent's volume is in its pieces, and there are as many as the law says
    assert pieces @ cube + dust_bulk == pytest.approx(cube, rel=1e-12)
    assert pieces.sum(axis=1) + dust == pytest.approx(breakage.pieces, rel=1e-12)
    assert loss[:20] == pytest.approx((full @ number)[:20] + break_rate[:20])

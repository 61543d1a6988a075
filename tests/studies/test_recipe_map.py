"""Maps: rows are those of single recipes, a killed map continues to the same bytes, memory does not grow."""

import csv
import json
import os
import signal
import tomllib
import tracemalloc
from pathlib import Path

import pytest

from perolux.errors import ConvergenceError, InputError, OptionError, OutputError
from perolux.files import example_path
from perolux.studies import map_rows, recipe_map
from perolux.studies.recipe_map import map_recipe
from perolux.synthesis.batch import grow_recipe
from perolux.synthesis.outcome import OUTCOMES, outcome_of
from perolux.synthesis.recipe import recipe_of

pytestmark = pytest.mark.slow

RECIPE = example_path("recipes") / "cspbbr3_antisolvent.toml"
SHORT = RECIPE.read_text().replace('over = "10 s"', 'over = "1 s"').replace('"120 s"', '"3 s"')
HEAT, VOLUME = "vessel.temperature=20..40 degC:4", "events.1.contents.1.volume=5..20 mL:10"
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked copy of itself")


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "short.toml"
    path.write_text(SHORT, encoding="utf-8")
    return path


@pytest.fixture
def quick(monkeypatch):
    """Rows that cost nothing: the value of the first axis as the edge."""

    def row(content, axes, point, values, tolerance):
        del content, tolerance
        cells = [*values, "grown", values[0], *[0.5] * (len(OUTCOMES) - 1)]
        return [str(point), *(cell if isinstance(cell, str) else f"{cell:.12g}" for cell in cells), "", ""]

    monkeypatch.setattr(recipe_map, "row_of", row)


def in_a_copy_of_this_process(work):
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(9)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def test_every_row_is_that_of_the_recipe_alone(recipe, tmp_path):
    found = map_recipe(recipe, ["vessel.temperature=20..40 degC:2", "events.1.over=1,2 s"], tmp_path / "out")
    rows = list(found.rows())
    assert [(row["vessel.temperature (degC)"], row["events.1.over (s)"]) for row in rows] == [
        (20.0, 1.0), (20.0, 2.0), (40.0, 1.0), (40.0, 2.0)
    ]  # fmt: skip
    for row in rows:
        text = SHORT.replace('"25 degC"', f'"{row["vessel.temperature (degC)"]} degC"')
        text = text.replace('over = "1 s"', f'over = "{row["events.1.over (s)"]} s"')
        alone = outcome_of(grow_recipe(recipe_of(tomllib.loads(text)))).numbers
        assert row["status"] == "grown"
        for name, value in alone.items():
            # what a recipe does not have is empty, and the reason says why
            assert row[name] == (None if value is None else pytest.approx(value, rel=1e-11)), name
            assert value is not None or name in row["reason"]
    summary = found.record["summary"]
    edges = [row["mean_edge_nm"] for row in rows]
    assert summary["statuses"] == {"grown": 4}
    assert summary["numbers"]["mean_edge_nm"]["largest"]["value"] == max(edges)
    assert summary["numbers"]["mean_edge_nm"]["least"]["point"] == 1 + edges.index(min(edges))


def test_the_folder_can_be_read_without_perolux(recipe, tmp_path):
    found = map_recipe(recipe, [HEAT], tmp_path / "out")
    assert (found.folder / "recipe.toml").read_bytes() == recipe.read_bytes()
    record = json.loads((found.folder / "map.json").read_text("utf-8"))
    assert record["points"] == 4 and record["question"]["axes"][0]["high"] == 40.0
    assert {one["key"] for one in record["rests_on"]} >= {"prior.log10_nucleation_prefactor"}
    assert record["versions"]["numpy"] and record["kinetics_given"]
    with (found.folder / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [column["name"] for column in record["columns"]]
    assert all(column["meaning"] for column in record["columns"])
    assert (found.folder / record["figure"]).read_text("utf-8").rstrip().endswith("</svg>")
    assert sorted(path.name for path in found.folder.iterdir()) == [
        "map.json", "map.svg", "recipe.toml", "rows.csv"
    ]  # fmt: skip


def test_varied_constants_are_no_priors_any_more(recipe, tmp_path):
    found = map_recipe(recipe, ["kinetics.surface_rate_m_s=1e-7..1e-6:2log"], tmp_path / "out")
    assert found.record["kinetics_varied"] == ["surface_rate_m_s"]
    assert "prior.surface_rate_m_s" not in {one["key"] for one in found.record["rests_on"]}


def test_threads_change_nothing(recipe, tmp_path):
    for jobs in (1, 3):
        map_recipe(recipe, [HEAT, VOLUME], tmp_path / str(jobs), jobs=jobs)
    for name in ("rows.csv", "map.json", "map.svg"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes(), name


@posix
@pytest.mark.parametrize("tail", ["", "17,", '17,20,5,grown,"1.8'])
def test_killed_in_the_middle_it_continues_to_the_same_bytes(recipe, tmp_path, monkeypatch, tail):
    monkeypatch.setattr(recipe_map, "_PIECE", 8)

    def work():
        honest, calls = map_rows.carry_out_any, []

        def deadly(*arguments, **options):
            calls.append(1)
            if len(calls) == 30:
                os.kill(os.getpid(), signal.SIGKILL)
            return honest(*arguments, **options)

        map_rows.carry_out_any = deadly
        map_recipe(recipe, [HEAT, VOLUME], tmp_path / "out")

    assert in_a_copy_of_this_process(work) == signal.SIGKILL
    rows = tmp_path / "out" / "rows.csv"
    kept = rows.read_text().count("\n") - 1
    assert kept % 8 == 0 and kept < 30
    assert json.loads((tmp_path / "out" / "map.json").read_text())["summary"] is None
    with rows.open("a") as file:
        file.write(tail)
    found = map_recipe(recipe, [HEAT, VOLUME], tmp_path / "out")
    assert found.computed == 40 - kept
    map_recipe(recipe, [HEAT, VOLUME], tmp_path / "whole")
    for name in ("rows.csv", "map.json", "map.svg", "recipe.toml"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


@posix
@pytest.mark.parametrize("position", range(4))
def test_killed_while_a_file_is_renamed_it_continues(quick, recipe, tmp_path, position):
    def work():
        honest, seen = Path.replace, []

        def deadly(self, target):
            if len(seen) == position:
                os.kill(os.getpid(), signal.SIGKILL)
            seen.append(target)
            return honest(self, target)

        Path.replace = deadly
        map_recipe(recipe, [HEAT], tmp_path / "out")

    assert in_a_copy_of_this_process(work) == signal.SIGKILL  # map.json, recipe.toml, map.svg, map.json
    found = map_recipe(recipe, [HEAT], tmp_path / "out")
    assert found.record["summary"]["statuses"] == {"grown": 4}
    assert not [path for path in found.folder.iterdir() if path.name.endswith(".part")]


def test_ctrl_c_keeps_what_is_done_and_says_how_to_continue(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_map, "_PIECE", 8)
    honest = recipe_map.row_of

    def interrupted(content, axes, point, values, tolerance):
        if point == 20:
            raise KeyboardInterrupt
        return honest(content, axes, point, values, tolerance)

    with (
        monkeypatch.context() as patched,
        pytest.raises(KeyboardInterrupt, match=r"16 of 40 .* same command"),
    ):
        patched.setattr(recipe_map, "row_of", interrupted)
        map_recipe(recipe, [HEAT, VOLUME], tmp_path / "out")
    assert map_recipe(recipe, [HEAT, VOLUME], tmp_path / "out").computed == 24


def test_a_finished_map_is_given_back_and_a_lost_picture_drawn_again(quick, recipe, tmp_path):
    first = map_recipe(recipe, [HEAT, VOLUME], tmp_path / "out")
    assert first.computed == 40
    again = map_recipe(recipe, [HEAT, VOLUME], tmp_path / "out")
    assert again.computed == 0 and again.record == first.record
    (first.folder / "map.svg").unlink()
    assert map_recipe(recipe, [HEAT, VOLUME], tmp_path / "out").computed == 0
    assert (first.folder / "map.svg").is_file()


def test_another_question_never_continues_a_folder(quick, recipe, tmp_path):
    map_recipe(recipe, [HEAT], tmp_path / "out")
    for changed, words in (
        ({"vary": ["vessel.temperature=20..40 degC:5"]}, "other axes"),
        ({"sample": 8}, "another sample"),
        ({"tolerance": 1e-3}, "another tolerance"),
    ):
        with pytest.raises(OptionError, match=rf"{words}[\s\S]*another folder"):
            map_recipe(recipe, **{"vary": [HEAT], "out": tmp_path / "out"} | changed)
    recipe.write_text(SHORT.replace("10 umol", "11 umol"))
    with pytest.raises(OptionError, match="another recipe"):
        map_recipe(recipe, [HEAT], tmp_path / "out")


def test_folders_of_others_are_left_alone(quick, recipe, tmp_path):
    with pytest.raises(OptionError, match=r"no map: it holds 'short.toml'"):
        map_recipe(recipe, [HEAT], tmp_path)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "map.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        map_recipe(recipe, [HEAT], folder)
    with pytest.raises(OutputError, match="could not write"):
        map_recipe(recipe, [HEAT], recipe / "below a file")


@pytest.mark.parametrize("damage", [(",20,", ";20;"), ("point,", "punkt,"), ("\n3,", "\n4,")])
def test_a_table_that_was_changed_is_refused(quick, recipe, tmp_path, damage):
    rows = map_recipe(recipe, [HEAT], tmp_path / "out").rows_file
    rows.write_text(rows.read_text().replace(*damage))
    with pytest.raises(InputError, match=r"not the one that this map wrote[\s\S]*remove or rename"):
        map_recipe(recipe, [HEAT], tmp_path / "out")
    rows.unlink()
    assert map_recipe(recipe, [HEAT], tmp_path / "out").computed == 4


def test_points_that_cannot_be_carried_out_are_rows(recipe, tmp_path):
    found = map_recipe(recipe, ["vessel.temperature=25,200 degC", "events.1.at=0,9 s"], tmp_path / "out")
    rows = list(found.rows())
    assert [row["status"] for row in rows] == ["grown", "not-possible", "not-possible", "not-possible"]
    assert "after the end" in rows[1]["reason"] and "DMF boils" in rows[2]["reason"]
    assert "DMF boils" in rows[3]["reason"] and "after the end" in rows[3]["reason"]
    assert rows[1]["mean_edge_nm"] is None
    assert found.record["summary"]["first_reasons"]["not-possible"]["point"] == 2


def test_points_without_crystals_say_why_and_a_map_without_any_has_no_picture(recipe, tmp_path):
    found = map_recipe(recipe, ["kinetics.surface_energy_j_m2=0.5..0.9:3"], tmp_path / "out")
    assert found.record["summary"]["statuses"] == {"no-crystals": 3}
    assert all("nothing nucleates" in row["reason"] and row["N_per_m3"] == 0.0 for row in found.rows())
    assert found.record["figure"] is None and found.record["figure_reason"] == "no point has crystals"


@pytest.mark.parametrize(
    ("error", "status"),
    [(ConvergenceError("stuck"), "not-solved"), (ZeroDivisionError("x"), "program-error")],
)
def test_one_point_that_fails_never_ends_a_map(recipe, tmp_path, monkeypatch, error, status):
    honest = map_rows.carry_out_any

    def fails_when_hot(recipe, **options):
        if recipe.vessel.temperature > 305:
            raise error
        return honest(recipe, **options)

    monkeypatch.setattr(map_rows, "carry_out_any", fails_when_hot)
    found = map_recipe(recipe, [HEAT], tmp_path / "out")
    assert found.record["summary"]["statuses"] == {"grown": 2, status: 2}


def test_a_sample_with_its_seed(quick, recipe, tmp_path):
    vary = ["vessel.temperature=20..40 degC", "kinetics.surface_rate_m_s=1e-7..1e-6:log"]
    first = map_recipe(recipe, vary, tmp_path / "a", sample=64, seed=5)
    assert (
        first.rows_file.read_bytes()
        == map_recipe(recipe, vary, tmp_path / "b", sample=64, seed=5).rows_file.read_bytes()
    )
    other = map_recipe(recipe, vary, tmp_path / "c", sample=64, seed=6)
    assert other.rows_file.read_bytes() != first.rows_file.read_bytes()
    assert sum(row["vessel.temperature (degC)"] < 30 for row in first.rows()) == 32
    assert first.record["figure"] == "map.svg"


def test_memory_does_not_grow_with_the_points(quick, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_map, "_PIECE", 256)
    axes = ["events.1.at=0..1 s:10", "vessel.temperature=20..30 degC:10"]
    peaks = []
    for points in (5, 5, 60):  # the first fills caches
        tracemalloc.start()
        found = map_recipe(recipe, [*axes, f"events.1.over=1..2 s:{points}"], tmp_path / f"{len(peaks)}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.record["points"] == 100 * points
        assert "3 axes" in found.record["figure_reason"]
    assert found.rows_file.stat().st_size > 400_000
    assert peaks[2] - peaks[1] < 100_000


def test_the_recipe_is_observed_at_the_times_of_the_map(tmp_path):
    path = tmp_path / "timed.toml"
    path.write_text(SHORT.replace('until = "3 s"', 'until = "3 s"\ntimes = ["1 s"]'))
    timed = map_recipe(path, [HEAT], tmp_path / "timed")
    path.write_text(SHORT)
    assert list(timed.rows()) == list(map_recipe(path, [HEAT], tmp_path / "free").rows())


@pytest.mark.parametrize(("option", "value"), [("jobs", 0), ("jobs", 65), ("tolerance", 2.0)])
def test_options_out_of_range_are_refused(recipe, tmp_path, option, value):
    with pytest.raises(OptionError, match=option):
        map_recipe(recipe, [HEAT], tmp_path / "out", **{option: value})
    assert not (tmp_path / "out").exists()


def test_a_map_of_droplets_is_that_of_its_last_detector(tmp_path):
    path = tmp_path / "droplets.toml"
    text = (
        (example_path("recipes") / "cspbbr3_droplets.toml")
        .read_text()
        .replace("jitter = 0.03", "jitter = 0.0")
    )
    path.write_text(
        text.replace(text[text.index("detectors") :].partition("\n")[0], 'detectors = ["1 mm", "3 mm"]')
    )
    vary = ["observe.detectors.2=2..3 mm:2", "streams.2.flow=10..900 uL/min:2"]
    found = map_recipe(path, vary, tmp_path / "out")
    rows = list(found.rows())
    assert {row["status"] for row in rows} == {"grown"}
    assert rows[2]["residence_time_s"] == pytest.approx(1.5 * rows[0]["residence_time_s"])
    assert found.record["recipe"]["route"] == "droplet" and found.record["figure"] == "map.svg"
    assert "carrier left out" in next(
        c["meaning"] for c in found.record["columns"] if c["name"] == "N_per_m3"
    )


def test_a_map_of_spheres_draws_their_diameter_and_takes_no_tolerance(tmp_path):
    path = example_path("recipes") / "mapbbr3_template.toml"
    vary = ["pores.mean=3..6 nm:4", "kinetics.template_shell_nm=0,0.3,0.6"]
    found = map_recipe(path, vary, tmp_path / "out")
    assert found.record["figure"] == "map.svg"
    assert found.record["kinetics_varied"] == ["template_shell_nm"]
    assert "prior.template_shell_nm" not in {one["key"] for one in found.record["rests_on"]}
    rows = list(found.rows())
    assert all(row["mean_edge_nm"] is None and "spheres" in row["reason"] for row in rows)
    # a narrow pore ends its crystals, whatever the shell
    assert all(row["mean_diameter_nm"] < row["pores.mean (nm)"] for row in rows)
    narrow = [row["mean_diameter_nm"] for row in rows[:3]]
    assert narrow[0] - narrow[1] == pytest.approx(0.6, abs=0.05)
    with pytest.raises(OptionError, match="tolerance belongs to steps"):
        map_recipe(path, vary, tmp_path / "other", tolerance=1e-3)


def test_a_constant_that_a_route_does_not_have_is_refused_with_those_that_it_has(tmp_path):
    path = example_path("recipes") / "cspbbr3_milling.toml"
    with pytest.raises(OptionError, match=r"a constant: breakage_rate_per_s"):
        map_recipe(path, ["kinetics.surface_rate_m_s=1e-7..1e-6:2log"], tmp_path / "out")

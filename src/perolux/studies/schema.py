"""The study file: what a `STUDY.toml` may say, checked by pydantic, exported as JSON Schema for editors.

Every block is frozen and refuses unknown keys. Paths are relative to the folder of the study file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from perolux.quantities.citations import KEY_PATTERN, bibliography

__all__ = [
    "AbsorptionBlock",
    "ConditionsBlock",
    "PriorBlock",
    "RatioBlock",
    "ReductionBlock",
    "ReportBlock",
    "SamplesBlock",
    "SourceBlock",
    "SpectraBlock",
    "StudyBlock",
    "StudyFile",
    "study_schema",
]


def study_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a study file, for editors that complete and check TOML.

    >>> sorted(study_schema()["properties"])
    ['absorption', 'conditions', 'prior', 'reduction', 'report', 'samples', 'spectra', 'study']
    """
    schema = StudyFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "perolux study"}


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


_Range = Annotated[tuple[float, float], Field(strict=False)]


def _ascending(value: tuple[float, float] | None) -> tuple[float, float] | None:
    if value is not None and not 0 <= value[0] < value[1]:
        raise ValueError("[low, high] with 0 <= low < high")
    return value


def _group_rule(value: str | None) -> str | None:
    if value is not None and (value.count("{group}") != 1 or value.count("*") > 2):
        raise ValueError("a pattern that holds {group} once and * at most twice, such as '{group}_emission'")
    return value


_Words = Annotated[str, Field(min_length=1, max_length=500)]


class SourceBlock(_Block):
    """[[study.sources]]: a work to be cited for the data: the data set, the paper. What is not known of it is
    left out, never guessed; `perolux cite RUN` writes it as BibTeX."""

    key: str = Field(pattern=KEY_PATTERN, max_length=80, description="BibTeX key: letters, digits, hyphens")
    type: Literal["article", "dataset", "misc", "software"] = Field(description="BibTeX type")
    author: _Words | None = Field(default=None, description="authors, 'Last, First and Last, First'")
    title: _Words | None = Field(default=None, description="title of the work")
    journal: _Words | None = Field(default=None, description="journal")
    year: int | None = Field(default=None, ge=1500, le=2200, description="year of publication")
    volume: _Words | None = Field(default=None, description="volume")
    pages: _Words | None = Field(default=None, description="pages or article number")
    doi: str | None = Field(
        default=None, pattern=r"^10\.\d{4,9}/\S+$", description="DOI, without https://doi.org/"
    )
    url: str | None = Field(default=None, pattern=r"^https?://\S+$", description="address")
    version: _Words | None = Field(default=None, description="version or commit that was used")
    licence: _Words | None = Field(default=None, description="licence of the data, e.g. 'CC BY 4.0'")
    note: _Words | None = Field(default=None, description="what else a reader should know of it")

    @field_validator("key")
    @classmethod
    def _own_key(cls, value: str) -> str:
        if value in bibliography():
            raise ValueError("a key that the bibliography of perolux does not hold already")
        return value

    @field_validator("author", "title", "journal", "volume", "pages", "version", "licence", "note")
    @classmethod
    def _bibtex(cls, value: str | None) -> str | None:
        if value is not None and value.count("{") != value.count("}"):
            raise ValueError("text with as many { as }, which BibTeX can read")
        return value

    @model_validator(mode="after")
    def _names_a_work(self) -> SourceBlock:
        if not (self.author or self.title or self.doi or self.url):
            raise ValueError("at least one of author, title, doi, url")
        return self


class StudyBlock(_Block):
    """[study]: what the study is called, and whose data it evaluates."""

    name: str = Field(min_length=1, max_length=120, description="short name; names the run folder")
    note: str = Field(default="", max_length=4000, description="free text shown under the report's title")
    sources: tuple[SourceBlock, ...] = Field(
        default=(), strict=False, description="works to be cited for the data"
    )

    @field_validator("sources")
    @classmethod
    def _each_once(cls, value: tuple[SourceBlock, ...]) -> tuple[SourceBlock, ...]:
        if len({source.key for source in value}) < len(value):
            raise ValueError("each key once")
        return value


class SpectraBlock(_Block):
    """[spectra]: the instrument files."""

    files: tuple[str, ...] = Field(
        min_length=1, strict=False, description="paths or glob patterns, relative to the study file"
    )
    kind: Literal["pl"] = Field(default="pl", description="what was recorded: photoluminescence")
    axis_unit: Literal["nm", "eV", "cm-1"] | None = Field(
        default=None, description="unit of the axis, where the files do not say it"
    )
    label: Literal["header", "stem"] = Field(
        default="header",
        description="name of a sample: the column header (the file name where there is none), or always the "
        "file name without its ending (files of one spectrum each)",
    )
    group: str | None = Field(
        default=None,
        max_length=200,
        description="where several files repeat the same headers: a pattern of the file name without its "
        "ending, {group} for the part that tells the files apart and * for any text, such as "
        "'{group}_emission'; samples are then called 'GROUP: HEADER'",
    )

    _grouped = field_validator("group")(_group_rule)


class AbsorptionBlock(_Block):
    """[absorption]: absorption spectra of the same samples, joined to the PL by name; a time is joined to the
    same time in other words."""

    files: tuple[str, ...] = Field(
        min_length=1, strict=False, description="paths or glob patterns, relative to the study file"
    )
    kind: Literal["absorbance"] = Field(default="absorbance", description="what was recorded: absorbance")
    axis_unit: Literal["nm", "eV", "cm-1"] | None = Field(
        default=None, description="unit of the axis, where the files do not say it"
    )
    label: Literal["header", "stem"] = Field(
        default="header", description="name of a sample, as in [spectra]"
    )
    group: str | None = Field(
        default=None, max_length=200, description="group of a file, as in [spectra]; both blocks or neither"
    )
    near_nm: _Range | None = Field(
        default=None, description="[low, high] in nm where the first exciton is searched; all when not given"
    )
    window_nm: float = Field(
        default=31.0, gt=0, le=500, description="window of the second derivative that finds the first exciton"
    )

    _grouped = field_validator("group")(_group_rule)
    _ordered = field_validator("near_nm")(_ascending)


class RatioBlock(_Block):
    """[[samples.ratios]]: a recipe variable made of columns: product of some over product of others."""

    name: str = Field(min_length=1, description="name of the new variable")
    numerator: tuple[str, ...] = Field(min_length=1, strict=False, description="columns that are multiplied")
    denominator: tuple[str, ...] = Field(default=(), strict=False, description="columns that divide")
    unit: str = Field(default="", description="unit of the ratio, empty where it has none")


class SamplesBlock(_Block):
    """[samples]: the table of recipes."""

    file: str = Field(min_length=1, description="csv of the recipes, relative to the study file")
    label: str = Field(min_length=1, description="column that holds the sample name")
    variables: tuple[str, ...] | None = Field(
        default=None, strict=False, description="columns that are recipe variables; all others when not given"
    )
    units: dict[str, str] = Field(default_factory=dict, description="unit of a column, e.g. V = 'uL'")
    ratios: tuple[RatioBlock, ...] = Field(default=(), strict=False, description="derived recipe variables")
    plqy: str | None = Field(default=None, description="column with the PL quantum yield as a fraction")
    not_measured: dict[str, float] = Field(
        default_factory=dict, description="number that stands for 'not measured' in a column, e.g. PLQY = 0"
    )
    delimiter: Literal[",", ";", "\t"] | None = Field(
        default=None, description="column separator; found from the file when not given"
    )


class ConditionsBlock(_Block):
    """[conditions]: what the nanocrystals are made of and how they were measured."""

    material: str | None = Field(
        default=None, description="composition such as CsPbBr3; without it no size is given"
    )
    temperature_k: float | None = Field(
        default=None, gt=0, le=1500, description="temperature of the sample in K; listed as assumed if absent"
    )


class ReductionBlock(_Block):
    """[reduction]: how peak and width are taken from a spectrum. Numbers with and without the Jacobian are
    always both given; sizes rest on those with it."""

    baseline: Literal["ends", "linear", "arpls", "none"] = Field(
        default="ends", description="how the baseline is found; ends: median of the first and last 8 points"
    )
    air_to_vacuum: bool = Field(default=False, description="convert recorded wavelengths from air to vacuum")
    remove_cosmic_rays: bool = Field(
        default=False, description="mend single-point spikes, not only flag them"
    )
    calibration_sigma_nm: float | None = Field(
        default=None, ge=0, le=50, description="uncertainty of the wavelength axis, added to the peak's"
    )


class PriorBlock(_Block):
    """[prior]: what is believed about the sizes before a spectrum is seen; ranges are [low, high]."""

    edge_nm: _Range | None = Field(default=None, description="edge length of a cube in nm, log-uniform")
    relative_size_spread: _Range | None = Field(
        default=None, description="standard deviation of the edge over its mean, uniform"
    )
    stokes: Literal["constant", "inverse-edge"] = Field(
        default="constant", description="how the Stokes shift depends on the size"
    )
    stokes_shift_ev: _Range | None = Field(default=None, description="Stokes shift in eV, uniform")
    walls: Literal["layers", "softened", "hard"] = Field(
        default="layers",
        description="layers: non-parabolic bands, walls of finite height and dielectric surroundings each "
        "with and without; softened: hard walls put small cubes too high by hard_wall_excess_ev; hard: not",
    )
    hard_wall_excess_ev: _Range | None = Field(
        default=None, description="by how much hard walls put a 4 nm cube too high, in eV, uniform"
    )
    linewidth: Literal["single-dot", "ensemble"] = Field(
        default="single-dot", description="which record of the width of one size is used"
    )
    homogeneous_fwhm_mev: _Range | None = Field(default=None, description="width of one size in meV, uniform")
    sets: tuple[str, ...] | None = Field(
        default=None, min_length=1, strict=False, description="parameter sets by name; all when not given"
    )
    platelet_probability: float | None = Field(
        default=None, ge=0, le=1, description="prior probability of platelets against cubes"
    )

    _ordered = field_validator(
        "edge_nm", "relative_size_spread", "stokes_shift_ev", "hard_wall_excess_ev", "homogeneous_fwhm_mev"
    )(_ascending)


class ReportBlock(_Block):
    """[report]: how the results are shown."""

    title: str | None = Field(default=None, max_length=200, description="title; the study's name if absent")
    figures: tuple[Literal["svg", "pdf"], ...] = Field(
        default=("svg", "pdf"), strict=False, description="formats of the publication figures; [] for none"
    )
    x: str | None = Field(
        default=None, description="recipe variable that the overview map shows first; chosen if absent"
    )


class StudyFile(_Block):
    """A whole study file."""

    study: StudyBlock
    spectra: SpectraBlock
    absorption: AbsorptionBlock | None = None
    samples: SamplesBlock | None = None
    conditions: ConditionsBlock = Field(default_factory=ConditionsBlock)
    reduction: ReductionBlock = Field(default_factory=ReductionBlock)
    prior: PriorBlock = Field(default_factory=PriorBlock)
    report: ReportBlock = Field(default_factory=ReportBlock)

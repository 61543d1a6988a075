"""Sphinx configuration. The pages need no network, neither to build nor to read: no intersphinx, no fonts or
scripts from elsewhere, and equations as plain text, as in the docstrings (no MathJax)."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from perolux import __version__  # noqa: E402

project = "perolux"
author = "The perolux developers"
copyright = "The perolux developers, BSD-3-Clause"
version = release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "plain_docstrings", "offline"]
exclude_patterns = ["_build", "_generated/parts"]
html_theme = "furo"
html_title = f"perolux {release}"
html_static_path = ["_static"]
html_css_files = ["perolux.css"]
html_copy_source = False
html_show_sphinx = False
# Command lines stay as they are typed: two hyphens are no dash, and no block is Python that does not say so.
smartquotes = False
highlight_language = "text"

# myst_nb switches on dollar maths by default, which would ask for MathJax; "$" stays a plain character here.
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
nitpicky = False
# Two rooms may have a type of the same short name; a signature then links to neither.
suppress_warnings = ["ref.python"]

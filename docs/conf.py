"""The site: `pip install -e ".[docs]" && sphinx-build -W docs docs/_build`. Needs no network while it builds."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import generated_pages  # noqa: E402

import asd_jax  # noqa: E402

project = "asd_jax"
author = "The asd_jax authors"
version = release = asd_jax.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # a test runs the notebook; here it is shown as it is
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say shapes and units; annotations of jaxtyping are long
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes in a class's docstring are no second entry beside its fields

html_theme = "alabaster"
html_theme_options = {
    "description": "Anomalous sound detection for machines in JAX",
    "fixed_sidebar": True,
    "page_width": "1100px",
    "show_powered_by": False,
}
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False

generated_pages.write(DOCS / "_generated", notebook=DOCS.parent / "notebooks" / "tour.ipynb")

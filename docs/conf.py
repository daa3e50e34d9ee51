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
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# The notebook is shown with the outputs that it was saved with, all of the built-in slide rail; a test runs it.
nb_execution_mode = "off"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say shapes and units; annotations of jaxtyping are long
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes in a class's docstring are no second entry beside its fields

html_theme = "furo"  # follows the colour scheme of its reader, fits a telephone, and fetches nothing from elsewhere
html_title = "asd_jax"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False

generated_pages.write(DOCS / "_generated", notebook=DOCS.parent / "notebooks" / "tour.ipynb")

import csv
import io

from asd_jax.report import text_tables as tables

TABLE = [["system", "AUC"], ["gmm | pca", "0.9"], ["a,\nb", ""]]


def test_text_is_aligned():
    assert tables.text(TABLE[:2]) == "system     AUC\n--------------\ngmm | pca  0.9"


def test_markdown_cells_hold_together():
    assert tables.markdown(TABLE) == "| system | AUC |\n| --- | --- |\n| gmm \\| pca | 0.9 |\n| a, b |  |\n"


def test_csv_is_read_back():
    assert list(csv.reader(io.StringIO(tables.csv_text(TABLE)))) == TABLE

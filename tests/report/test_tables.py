import csv
import io

from asd_jax.report.table import Table

LINES = [["system", "AUC"], ["gmm | pca", "0.9"], ["a,\nb", ""]]
TABLE = Table(LINES[0], LINES[1:])


def test_text_is_aligned():
    assert Table(LINES[0], LINES[1:2]).text() == "system     AUC\n--------------\ngmm | pca  0.9"


def test_markdown_cells_hold_together():
    assert TABLE.markdown() == "| system | AUC |\n| --- | --- |\n| gmm \\| pca | 0.9 |\n| a, b |  |\n"


def test_csv_is_read_back():
    assert list(csv.reader(io.StringIO(TABLE.csv()))) == LINES


def test_the_headline_is_marked_and_notes_follow():
    table = Table(
        ["system", "AUC"], [["gmm", "0.9"], ["knn", "0.8"]], ["headline", "exploratory"], notes=["* headline"]
    )
    assert table.text() == "system  AUC\n-----------\n* gmm   0.9\n  knn   0.8\n* headline"

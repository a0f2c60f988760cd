"""Maps in append mode: rows of one side are added to the other once.

The source's feed is followed from its position. A page is translated and created under ids that
follow from map, source and row, and the position moves when every row of the page was answered:
whoever is killed in between creates the same rows once more, and is told that they are there. Of
rows that arrived nothing is kept; a row that cannot be written now is kept as a record until it is.

`course.py` is the order of a run, `source.py` reads, `writer.py` writes, `page.py` is one page on
its way, `kept.py` the rows that could not be written, `there.py` rows that are there already.
"""

"""The picture of one patient's course: what is on it, its words, its drawing, and the process that draws it.

``sheet.py`` is the border: all words said, all values chosen, JSON. What draws imports nothing else of this program.
"""

"""A scenario: one world, written down. `load` reads it, `schema` gives it its shape, `checks` what
must agree, `design` makes experiments into cells.
"""

"""Published scales: parse, compare, cite the table. One module a scale."""

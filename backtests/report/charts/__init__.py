"""Charts: numbers to plotly figures."""

"""Where runs are made and judged: config, engine, analysis, report, and the commands."""

"""What was found, for people and programs: pair results → terminal, report.json. Only the plugin imports this."""

"""pytest plugin that proves a Prefect 1 flow and its Prefect 2 migration behave the same."""

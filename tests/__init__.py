"""The project proves itself here; see CONTRIBUTING.md for which kind of test goes where."""

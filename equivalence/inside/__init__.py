"""What runs in the virtualenvs of the two sides: standard library only, Python 3.7 syntax."""

"""Tests of pure rooms: no virtualenv, no process."""

"""The tuner: the fastest settings of this machine that keep quality, found, proved and explained."""

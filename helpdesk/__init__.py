"""The help desk: floor and roof of the house."""

__version__ = "0.1.0"

"""Contracts that no single app owns, and what every test run stands on."""

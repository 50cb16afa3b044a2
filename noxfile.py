#!/usr/bin/env -S uv run --script
# /// script
# dependencies = ["nox>=2025.2.9"]
# ///
"""`nox`: what contributors run, each in an environment of its own."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"


@nox.session
def lint(session: nox.Session) -> None:
    """Formats, types, spelling: all that pre-commit does."""
    session.install(*nox.project.dependency_groups(nox.project.load_toml(), "dev"))
    session.run("pre-commit", "run", "--all-files", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """The tests; `nox -s tests-3.13 -- tests/texture` runs some, on one Python."""
    session.install("-e", ".[test,nets,radiomics]")
    session.run("pytest", *(session.posargs or ["-n", "auto", "--dist", "worksteal"]))


@nox.session(default=False)
def everything(session: nox.Session) -> None:
    """All that a merge needs, from nothing, as .ci/run has it."""
    session.run("bash", ".ci/run", external=True)


if __name__ == "__main__":
    nox.main()

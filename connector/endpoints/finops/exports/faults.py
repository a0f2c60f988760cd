"""What can be wrong with an export, said to whoever set it up.

Owns: the errors of this package.
Never does: deciding what becomes of an export that failed (`runs.py`).
Tested in: tests/unit/endpoints/finops/exports/.
"""

from __future__ import annotations

from connector.errors import MapError, Subject, UnreachableError


def broken(what: str, cause: str | None = None) -> UnreachableError:
    """A package whose content cannot be trusted; what it held is read in another way."""
    return UnreachableError(
        "package-broken",
        what,
        remedy="the table is compared in full instead and nothing is lost; if it happens again, "
        "look at the job in Data management, or set changes.by to snapshot",
        subject=Subject(side="commerce"),
        cause=cause,
    )


def misfit(project: str, entity: str, what: str) -> MapError:
    """An export project that does not give what is needed of an entity."""
    return MapError(
        "export-project-misfit",
        f"the export project {project} cannot tell of changes of {entity}: {what}",
        remedy="in Data management, make a project of the kind Export with this entity alone, "
        "format CSV or XML, its key fields mapped, refresh type `Incremental push only`; set its "
        "name as changes.project",
        subject=Subject(side="commerce", entity=entity),
    )


def refused(project: str, entity: str, cause: str) -> MapError:
    """The service does not begin the export; nothing of it happened."""
    return MapError(
        "export-refused",
        f"Finance and Operations does not run the export project {project}",
        remedy="check that the project exists (its name is case-sensitive), that the user of our "
        "application may run it, and the company; or set changes.by to snapshot",
        subject=Subject(side="commerce", entity=entity),
        tried="ExportToPackage",
        cause=cause,
    )


def late(project: str, entity: str, execution: str, seconds: float) -> UnreachableError:
    """An export is still not done; the next look goes on with it."""
    return UnreachableError(
        "export-late",
        f"the export of project {project} is not done after {seconds:.0f} s",
        remedy="run the command again, it waits for the same job; if the job never ends, look at "
        "the batch jobs of Finance and Operations",
        subject=Subject(side="commerce", entity=entity),
        tried=f"job {execution}",
    )

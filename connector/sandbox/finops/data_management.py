"""The actions of the data management framework.

Owns: reading their parameters, their answers, what they refuse.
Never does: the work of a run (`exports.py`, `imports.py`).
Tested in: tests/integration/sandbox/finops/test_exports.py, test_imports.py.

Facts: "Finance and Operations: data-management-api". Values are texts, some of them JSON inside
JSON; one documented example wraps an execution id once more, which a switch does here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import orjson

from connector.sandbox.finops import errors
from connector.sandbox.finops.actions import ACTIONS, DEFINITION_GROUPS
from connector.sandbox.finops.blobs import READ, WRITE, Blobs
from connector.sandbox.finops.entities import NAMESPACE
from connector.sandbox.finops.executions import Execution, Executions
from connector.sandbox.finops.exports import Exports
from connector.sandbox.finops.imports import Imports
from connector.sandbox.finops.messages import Request, json_response
from connector.sandbox.finops.people import COMPANIES, DEFAULT_COMPANY, User
from connector.sandbox.finops.projects import Project, Projects
from connector.sandbox.finops.storage import Storage
from connector.sandbox.finops.writes import Writes
from connector.sandbox.messages import Response

_PREFIX = f"{NAMESPACE}."
Act: TypeAlias = Callable[[Request, dict[str, Any]], Any]
"""(request, parameters) to the value; raises `AxError`."""
_KINDS: Mapping[str, type] = {"Edm.String": str, "Edm.Boolean": bool}


class DataManagement:
    """The framework of one environment.

    `nested` answers with the value inside another one, `plain_http` gives addresses of files with
    the scheme that a load balancer in front of the service takes them for.
    """

    def __init__(self, folder: Path, storage: Storage, writes: Writes) -> None:
        self.projects = Projects(storage)
        self.executions = Executions(storage)
        self.blobs = Blobs(folder, storage)
        self._exports = Exports(storage, self.projects, self.executions, self.blobs)
        self._imports = Imports(storage, writes, self.executions, self.blobs)
        self.nested = False
        self.plain_http = False
        self._acts: dict[str, Act] = {
            "ExportToPackage": self._export,
            "GetExecutionSummaryStatus": self._status,
            "GetExportedPackageUrl": self._package_url,
            "GetExecutionErrors": self._errors,
            "GetAzureWriteUrl": self._write_url,
            "ImportFromPackage": self._import,
            "GetImportStagingErrorFileUrl": self._staging_errors,
            "GenerateImportTargetErrorKeysFile": self._generate_keys,
            "GetImportTargetErrorKeysFileUrl": self._keys_url,
        }

    def add(self, name: str, act: Act) -> None:
        """One more declared action, which another part carries out."""
        self._acts[name] = act

    def clear(self) -> None:
        """Without projects, runs and files; part of the running transaction."""
        self.projects.clear()
        self.blobs.clear()

    # ------------------------------------------------------------------------ requests

    def handle(self, rest: list[str], request: Request) -> Response:
        """A request below `DataManagementDefinitionGroups`. Raises `AxError`."""
        if not rest:
            if request.method != "GET":
                raise errors.not_allowed(request.method)
            listed = [{"Name": name, "Description": name} for name in self.projects.names()]
            context = f"{request.base}/$metadata#{DEFINITION_GROUPS}"
            return json_response({"@odata.context": context, "value": listed})
        name = rest[0].removeprefix(_PREFIX)
        if len(rest) > 1 or name not in self._acts or not rest[0].startswith(_PREFIX):
            raise errors.no_such_resource(request.url)
        if request.method != "POST":
            raise errors.not_allowed(request.method)
        value = self._acts[name](request, _parameters(name, request))
        if self.nested:
            value = {"value": value}
        context = f"{request.base}/$metadata#Edm.String"
        return json_response({"@odata.context": context, "value": value})

    # ------------------------------------------------------------------------ runs

    def export_now(self, project: Project) -> Execution:
        """Run an export on its schedule; part of the running transaction."""
        return self._exports.run(project, self.executions.new_id(project.name), DEFAULT_COMPANY)

    def import_now(self, project: str, content: bytes, user: User, company: str) -> Execution:
        """Run an import of a file that came; part of the running transaction."""
        execution_id = self.executions.new_id(project)
        return self._imports.run(project, execution_id, content, user, company)

    # ------------------------------------------------------------------------ out of it

    def _export(self, request: Request, given: dict[str, Any]) -> str:
        project = self.projects.find(given["definitionGroupId"])
        if project is None:
            raise refused(f"The data project '{given['definitionGroupId']}' was not found.")
        if self.executions.running(project=project.name):
            raise refused(f"An execution of the data project '{project.name}' is in progress.")
        execution_id = given["executionId"] or self.executions.new_id(project.name)
        if not given["reExecute"] and self.executions.find(execution_id) is not None:
            raise refused(f"The execution '{execution_id}' exists already.")
        self._exports.run(project, execution_id, _company(request, given))
        return execution_id

    def _status(self, _request: Request, given: dict[str, Any]) -> str:
        return self._execution(given).state(self.executions.now)

    def _package_url(self, request: Request, given: dict[str, Any]) -> str:
        execution = self._execution(given)
        if execution.blob is None or execution.ends > self.executions.now:
            raise refused(f"The execution '{execution.id}' has no package.")
        return self._address(request, execution.blob, READ)

    def _errors(self, _request: Request, given: dict[str, Any]) -> str:
        listed = [
            {"EntityName": one["entity"], "RecordId": one["key"], "ErrorMessage": one["text"]}
            for one in self._execution(given).errors
        ]
        return orjson.dumps(listed).decode()

    # ------------------------------------------------------------------------ into it

    def _write_url(self, request: Request, given: dict[str, Any]) -> str:
        name = self.blobs.new_name(Path(given["uniqueFileName"]).suffix)
        address = self._address(request, name, WRITE)
        identifier = f"{{{Path(name).stem.upper()}}}"
        return orjson.dumps({"BlobId": identifier, "BlobUrl": address}).decode()

    def _import(self, request: Request, given: dict[str, Any]) -> str:
        if self.executions.running(imports=True):
            raise refused("Another import is in progress; imports must not run at the same time.")
        name = self.blobs.named(given["packageUrl"])
        content = None if name is None else self.blobs.read(name)
        if content is None:
            raise refused("The package could not be downloaded.")
        project = given["definitionGroupId"]
        execution_id = given["executionId"] or self.executions.new_id(project)
        company = _company(request, given)
        self._imports.run(project, execution_id, content, request.user, company)
        return execution_id

    def _staging_errors(self, request: Request, given: dict[str, Any]) -> str:
        return self._keys_url(request, given)

    def _generate_keys(self, _request: Request, given: dict[str, Any]) -> bool:
        return self._error_keys(given) is not None

    def _keys_url(self, request: Request, given: dict[str, Any]) -> str:
        name = self._error_keys(given)
        return "" if name is None else self._address(request, name, READ)

    def _error_keys(self, given: dict[str, Any]) -> str | None:
        try:
            return self._imports.error_keys(self._execution(given), given["entityName"])
        except KeyError:
            raise refused(f"The entity '{given['entityName']}' was not found.") from None

    # ------------------------------------------------------------------------ parts

    def _execution(self, given: dict[str, Any]) -> Execution:
        found = self.executions.find(given["executionId"])
        if found is None:
            raise refused(f"The execution '{given['executionId']}' was not found.")
        return found

    def _address(self, request: Request, name: str, right: str) -> str:
        split = urlsplit(request.base)
        scheme = "http" if self.plain_http else split.scheme
        return self.blobs.address(f"{scheme}://{split.netloc}", name, right)


def _parameters(action: str, request: Request) -> dict[str, Any]:
    """The parameters of a call, all of the right type; missing ones are empty or false."""
    body = request.json_object()
    declared = ACTIONS[action]
    for name, value in body.items():
        if name not in declared:
            raise errors.bad_body(f"The parameter '{name}' is not part of the action '{action}'.")
        if type(value) is not _KINDS[declared[name]]:
            raise errors.bad_body(f"The parameter '{name}' is not of type '{declared[name]}'.")
    return {name: body.get(name, _KINDS[kind]()) for name, kind in declared.items()}


def _company(request: Request, given: Mapping[str, Any]) -> str:
    company = str(given["legalEntityId"] or request.user.company).lower()
    if company not in COMPANIES:
        raise refused(f"The legal entity '{company}' was not found.")
    return company


def refused(why: str) -> errors.AxError:
    """An action that cannot be carried out."""
    return errors.AxError(400, why, kind="Microsoft.Dynamics.Ax.Xpp.ErrorException")

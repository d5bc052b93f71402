"""Secrets (values hidden) and ConfigMaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response
from starlette.responses import JSONResponse

from iotistic.api.errors import NotFoundError
from iotistic.controllers.base import AppsControl
from iotistic.device_api import models
from iotistic.device_api.route import also, router


def documents_router(control: AppsControl) -> APIRouter:
    """Routes below /v1/secrets and /v1/configmaps."""
    routes = router("documents")
    _add(routes, control, "Secret", "secret")
    _add(routes, control, "ConfigMap", "configmap")
    return routes


def _add(routes: APIRouter, control: AppsControl, kind: str, word: str) -> None:
    def of_kind() -> dict[str, Mapping[str, Any]]:
        found = [document for document in control.documents() if document["kind"] == kind]
        return {document["metadata"]["name"]: document for document in found}

    @routes.get(f"/v1/{word}s", response_model=models.CoreDocuments, name=f"list_{word}s")
    async def list_documents() -> Response:
        return JSONResponse({"items": [dict(document) for document in of_kind().values()]})

    @routes.get(
        f"/v1/{word}s/{{name}}", response_model=dict[str, Any], name=f"get_{word}", responses=also(404)
    )
    async def get_document(name: str) -> Response:
        found = of_kind()
        if name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise NotFoundError(f"no {kind} {name!r} on this device", hint=f"there are: {known}")
        return JSONResponse(dict(found[name]))

    @routes.delete(
        f"/v1/{word}s/{{name}}",
        response_model=models.DeletedDocument,
        name=f"delete_{word}",
        responses=also(404, 409),
    )
    async def delete_document(name: str) -> Response:
        """Refused while an App refers to it."""
        await control.delete_document(kind, name)
        return JSONResponse({"kind": kind, "name": name})

"""Images of ours: list, remove what nothing needs, load from an archive."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from iotistic.api.errors import InvalidResourceError, Problem
from iotistic.controllers.base import InsideControl
from iotistic.device_api import models
from iotistic.device_api.answers import wire
from iotistic.device_api.route import also, router

ARCHIVE = {
    "requestBody": {
        "description": "What `docker save` wrote, also compressed; of any size that the device has room for",
        "required": True,
        "content": {
            "application/x-tar": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def images_router(inside: InsideControl) -> APIRouter:
    """Routes below /v1/images."""
    routes = router("images")

    @routes.get("/v1/images", response_model=models.Images, responses=also(502, 503))
    async def list_images() -> Response:
        """Images that were fetched for Apps or that something of ours names."""
        return JSONResponse({"items": [wire(models.ImageBody, one) for one in await inside.images()]})

    @routes.delete("/v1/images", response_model=models.PrunedImages, responses=also(409, 502, 503))
    async def prune_images() -> Response:
        """Remove what nothing needs now; images of current and last good releases stay."""
        return JSONResponse({"removed": await inside.prune_images()})

    @routes.post(
        "/v1/images/load",
        response_model=models.LoadedImages,
        responses=also(409, 422, 502, 503, 507),
        openapi_extra=ARCHIVE,
    )
    async def load_images(request: Request) -> Response:
        """Load an archive, for devices without a registry; it is handed on as it comes."""
        return JSONResponse({"loaded": await inside.load_images(_pieces(request))})

    return routes


async def _pieces(request: Request) -> AsyncGenerator[bytes]:
    """The body as it comes. Raises InvalidResourceError when it breaks off."""
    received = 0
    try:
        async for piece in request.stream():
            received += len(piece)
            if piece:
                yield piece
    except ClientDisconnect:
        broken = Problem(
            resource="image archive",
            path="",
            message=f"it broke off after {received} bytes",
            hint="send it again",
        )
        raise InvalidResourceError([broken]) from None

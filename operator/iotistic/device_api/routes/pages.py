"""Static pages: the dashboard and the page that shows /openapi.json. They need no key, their calls do.

All files are known at the start, so no path can lead anywhere else, and nothing comes from elsewhere.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

DASHBOARD = Path(__file__).parents[1] / "dashboard"
DOCS = Path(__file__).parents[1] / "docs_page"
MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def pages_router(*, dashboard: Path = DASHBOARD, docs: Path = DOCS) -> APIRouter:
    """`/` with /dashboard/, where that folder is there, and /docs with /docs/."""
    routes = APIRouter(include_in_schema=False)
    for home, prefix, folder in (("/", "/dashboard/", dashboard), ("/docs", "/docs/", docs)):
        if (folder / "index.html").is_file():
            _add(routes, home, prefix, folder)
    return routes


def _add(routes: APIRouter, home: str, prefix: str, folder: Path) -> None:
    files = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in MEDIA_TYPES
    }

    async def index() -> Response:
        return _file(files["index.html"])

    async def asset(name: str) -> Response:
        if name not in files:
            raise HTTPException(404)
        return _file(files[name])

    methods = ["GET", "HEAD"]
    routes.add_api_route(home, index, methods=methods, name=f"{prefix} page", response_class=Response)
    routes.add_api_route(
        prefix + "{name:path}", asset, methods=methods, name=f"{prefix} file", response_class=Response
    )


def _file(path: Path) -> Response:
    return FileResponse(path, media_type=MEDIA_TYPES[path.suffix], headers=HEADERS)

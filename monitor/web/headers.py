"""What every answer of the board tells the browser: nothing from elsewhere, nothing inline, nothing kept, no frame around it."""

from __future__ import annotations

from starlette.responses import Response

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), clipboard-read=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
# Without TLS a browser names no Sec-Fetch-Site, and under "no-referrer" no origin either: nobody could answer anything.
REFERRER = {True: "no-referrer", False: "same-origin"}
STRICT_TRANSPORT = "max-age=31536000"  # a year; of this host alone, the hospital's other hosts are not ours


def put_headers(response: Response, *, https: bool) -> None:
    """Add them to an answer. ``Cache-Control`` alone a handler may have set."""
    for name, value in ALWAYS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Referrer-Policy"] = REFERRER[https]
    if https:
        response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT

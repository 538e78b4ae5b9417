#!/usr/bin/python3
"""Serves one H.264 file over RTSP, TCP and UDP, in a loop: ``rtsp_server.py FILE PORT``.

Run by the system's Python, which has Debian's gir1.2-gst-rtsp-server-1.0; prints "ready" when it listens.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def main() -> None:
    path, port = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f'( filesrc location="{path}" ! qtdemux ! h264parse config-interval=1'
        " ! rtph264pay name=pay0 pt=96 )"
    )
    factory.set_shared(False)  # each client sees the file from its beginning
    server.get_mount_points().add_factory("/live", factory)
    if server.attach(None) == 0:
        sys.exit(f"port {port} is taken")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()

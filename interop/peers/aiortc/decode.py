"""Decodes a media file and prints how many frames it holds: the judge of what was recorded."""

import json
import sys

import av

frames = {"video": 0, "audio": 0}
with av.open(sys.argv[1]) as container:
    for frame in container.decode():
        frames["video" if isinstance(frame, av.VideoFrame) else "audio"] += 1
print(json.dumps(frames))
